namespace Keck.Metering;

/// <summary>What is not known about one meter's tick, from which each consumer's bounds follow. µJ.</summary>
internal readonly struct MeterDoubt
{
    // What is left where everything has been learned.
    private const double LearnedSpread = 0.03;

    /// <summary>The active energy that was split.</summary>
    internal double Active { get; init; }

    /// <summary>What the model is off by, as a fraction of a consumer's energy while others run beside it.</summary>
    internal double Spread { get; init; }

    /// <summary>Half-width in deviations of what has been learned.</summary>
    internal double LearnedWidth { get; init; }

    /// <summary>Part of the run time whose weight came from a mean, 0 to 1.</summary>
    internal double Missing { get; init; }

    /// <summary>How much less the static part may be: that much more is active then.</summary>
    internal double StaticLess { get; init; }

    /// <summary>How much more the static part may be.</summary>
    internal double StaticMore { get; init; }

    /// <summary>Energy whose runs are unknown: anybody may have run them.</summary>
    internal double Unattributed { get; init; }

    /// <summary>What the source itself may be too high by, as a fraction of the reading.</summary>
    internal double SourceBelow { get; init; }

    /// <summary>What the source itself may be too low by, as a fraction of the reading.</summary>
    internal double SourceAbove { get; init; }

    /// <summary>Square of the meter's random 95 % half-width (read jitter, quantisation), µJ².</summary>
    internal double RandomSquare { get; init; }

    /// <summary>The bounds of what nobody ran for.</summary>
    /// <param name="known">The static part.</param>
    /// <param name="idle">All of it: what of the active energy had nobody to go to may be anybody's.</param>
    internal BoundSample Idle(long known, long idle) => new()
    {
        SystematicBelow = Math.Min(StaticLess, known) + (known * SourceBelow) + (idle - known),
        SystematicAbove = Math.Min(StaticMore, Active) + (idle * SourceAbove),
        RandomSquare = idle > known ? RandomSquare : 0,
    };

    /// <summary>The bounds of energy that is the source's word alone, whoever it belongs to.</summary>
    internal BoundSample Source(long microjoules) => new() { SystematicBelow = microjoules * SourceBelow, SystematicAbove = microjoules * SourceAbove };

    /// <summary>The bounds of one consumer.</summary>
    /// <param name="active">Its active energy.</param>
    /// <param name="share">Its part of all weights.</param>
    /// <param name="byTime">Its part by time alone.</param>
    /// <param name="deviation">Standard deviation of its part by what has been learned, relative to the part; null where nothing is learned.</param>
    internal BoundSample Bounds(long active, double share, double byTime, double? deviation)
    {
        double model = deviation is { } learned
            ? ((LearnedWidth * learned) + ((LearnedSpread + Missing) * (1 - share))) * active
            : (Math.Abs(share - byTime) * Active) + (Spread * Active * share * (1 - share));
        return new BoundSample
        {
            SystematicBelow = model + (share * Math.Min(StaticMore, Active)) + (active * SourceBelow),
            SystematicAbove = model + (share * (StaticLess + Unattributed)) + (active * SourceAbove),
            RandomSquare = share * share * RandomSquare,
        };
    }
}
