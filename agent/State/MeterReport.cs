using Keck.Metering;

namespace Keck.Agent;

/// <summary>One meter as discovery and the last readings left it; of unselected meters too.</summary>
public sealed record MeterReport
{
    /// <summary>The meter.</summary>
    public required Meter Meter { get; init; }

    /// <summary>Energy counted since the agent started, µJ; null for a gauge that is not integrated, or before the first difference.</summary>
    public long? TotalMicrojoules { get; init; }

    /// <summary>Power at the last reading, W; null where unknown.</summary>
    public double? Watts { get; init; }

    /// <summary>Age of the last good reading; null before the first.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>Why the last reading has no value; null when it has one.</summary>
    public Absence? Absent { get; init; }

    /// <summary>The last failure in words; null when there was none.</summary>
    public string? LastError { get; init; }

    /// <summary>Readings that failed since the agent started.</summary>
    public long Errors { get; init; }

    /// <summary>Where it is read, such as <c>/sys/class/powercap/intel-rapl:0</c>; null where there is no such place.</summary>
    public string? Path { get; init; }
}
