using Keck.Metering;

namespace Keck.Agent;

/// <summary>An energy with what it is worth, from which a document or a node of the tree is made.</summary>
/// <param name="Microjoules">The energy, µJ.</param>
/// <param name="Bounds">Its 95 % bounds.</param>
/// <param name="Sources">Where it comes from.</param>
/// <param name="Rate">Its power of late; null where unknown.</param>
internal readonly record struct EnergyFigure(long Microjoules, BoundSample Bounds, EnergySources Sources, EnergyRate? Rate = null)
{
    /// <summary>The lower bound, µJ.</summary>
    internal long Low => Bounds.Low(Microjoules);

    /// <summary>The upper bound, µJ.</summary>
    internal long High => Bounds.High(Microjoules);

    /// <summary>The lower bound of its power, W.</summary>
    internal double? LowWatts => Rate is { } rate ? ApiView.Watts(Late(rate).Low(rate.Microjoules), rate.Seconds) : null;

    /// <summary>The upper bound of its power, W.</summary>
    internal double? HighWatts => Rate is { } rate ? ApiView.Watts(Late(rate).High(rate.Microjoules), rate.Seconds) : null;

    /// <summary>All of several figures together; their power is unknown where one's is.</summary>
    internal static EnergyFigure Sum(IEnumerable<EnergyFigure> figures)
    {
        long energy = 0;
        BoundSample bounds = default;
        EnergySources sources = default;
        EnergyRate? rate = null;
        bool first = true;
        foreach (EnergyFigure figure in figures)
        {
            energy += figure.Microjoules;
            bounds.Add(figure.Bounds);
            sources = sources.With(figure.Sources);
            rate = first ? figure.Rate : rate + figure.Rate;
            first = false;
        }

        return new EnergyFigure(energy, bounds, sources, rate);
    }

    // The bounds since the epoch, in proportion: those of the window are kept for consumers only.
    private BoundSample Late(EnergyRate rate) => Microjoules > 0 ? Bounds.InTime((double)rate.Microjoules / Microjoules) : default;
}
