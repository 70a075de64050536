using Keck.Metering;

namespace Keck.Power;

/// <summary>A meter as its source found it; nothing is selected yet, and <see cref="Meter.Id"/> may still be shared with another source's.</summary>
/// <param name="Meter">What it is.</param>
/// <param name="Where">Where it is read, such as <c>class/powercap/intel-rapl:0</c>, or what it is computed from.</param>
public sealed record SourceMeter(Meter Meter, string Where)
{
    /// <summary>Whether it shows power; its energy is then power held over time, which is <see cref="ReadingQuality.Derived"/>.</summary>
    public bool Gauge { get; init; }

    /// <summary>Among meters of one domain and quality the lowest is taken: 0 RAPL and a budget, 1 perf, 2 a RAPL duplicate, 3 hwmon, 9 the estimate.</summary>
    public required int Rank { get; init; }

    /// <summary>Why it had no value when it was found; null when it had one.</summary>
    public MeterProblem? Problem { get; init; }
}
