using Keck.Metering;

namespace Keck.Power;

/// <summary>How often something happened to a meter since it was found.</summary>
/// <param name="Readings">Readings with a value.</param>
/// <param name="Failures">Readings without one.</param>
/// <param name="Wraps">Wraps undone.</param>
/// <param name="Resets">Times the counter went back without a wrap.</param>
/// <param name="Refused">Values that could not be true.</param>
/// <param name="Gaps">Spans in which the counter may have wrapped unseen.</param>
/// <param name="Switches">Times it was selected or deselected after the start.</param>
public readonly record struct MeterCounts(long Readings, long Failures, long Wraps, long Resets, long Refused, long Gaps, long Switches);

/// <summary>One meter as <c>/api/v1/meters</c> shows it.</summary>
public sealed record MeterState
{
    /// <summary>What it is, and whether it is selected or why not.</summary>
    public required Meter Meter { get; init; }

    /// <summary>The source's name, such as <c>rapl</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Where it is read, such as <c>class/powercap/intel-rapl:0</c>.</summary>
    public required string Where { get; init; }

    /// <summary>Energy counted since it was found; null for a gauge and for a counter that never gave any.</summary>
    public Microjoules? Total { get; init; }

    /// <summary>Power of the last reading (a counter's: mean since the reading before), mW; null before there is one.</summary>
    public long? Milliwatts { get; init; }

    /// <summary>How old the last reading is; null before there is one.</summary>
    public MonotonicSpan? Age { get; init; }

    /// <summary>Why it has no value now; null while it has.</summary>
    public MeterProblem? Problem { get; init; }

    /// <summary>What happened to it so far.</summary>
    public MeterCounts Counts { get; init; }
}
