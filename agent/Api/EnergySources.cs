using Keck.Metering;

namespace Keck.Agent;

/// <summary>Which meters an energy comes from, as far as documents tell: the origins, and the worst quality among them.</summary>
/// <param name="Origins">A bit for each <see cref="EnergyOrigin"/>.</param>
/// <param name="Worst">Null where no meter has a part in it.</param>
internal readonly record struct EnergySources(int Origins, ReadingQuality? Worst)
{
    /// <summary>The origins joined by <c>+</c>; null where there is none.</summary>
    internal string? Origin
    {
        get
        {
            int origins = Origins;
            return origins == 0
                ? null
                : string.Join('+', Enum.GetValues<EnergyOrigin>().Where(origin => (origins & (1 << (int)origin)) != 0).Select(origin => origin.Name()));
        }
    }

    /// <summary>The worst quality; null where there is none.</summary>
    internal string? Quality => Worst?.Name();

    /// <summary>One meter alone.</summary>
    internal static EnergySources Of(Meter meter) => new(1 << (int)meter.Origin, meter.Quality);

    /// <summary>The meters that have a part in an energy.</summary>
    /// <param name="meters">All meters.</param>
    /// <param name="part">The energy that comes from the meter of an index, µJ.</param>
    internal static EnergySources Of(IReadOnlyList<MeterTotals> meters, Func<int, long> part)
    {
        EnergySources sources = default;
        for (int meter = 0; meter < meters.Count; meter++)
        {
            sources = part(meter) == 0 ? sources : sources.With(Of(meters[meter].Meter));
        }

        return sources;
    }

    /// <summary>These and others.</summary>
    internal EnergySources With(EnergySources other) => new(Origins | other.Origins, Worst is null || other.Worst > Worst ? other.Worst ?? Worst : Worst);
}
