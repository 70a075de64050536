using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>The first line of a trace: which machine, which meters, and where the attribution stood.</summary>
public sealed record TraceHeader
{
    /// <summary>The value of <c>format</c>.</summary>
    public const string Format = "keck-trace";

    /// <summary>The value of <c>version</c>.</summary>
    public const int Version = 1;

    /// <summary>Name of the host; null where not told.</summary>
    public string? Host { get; init; }

    /// <summary>When the recording began, by the wall clock; null where not told.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Where it comes from, such as <c>recorded</c> or <c>simulated</c>; null where not told.</summary>
    public string? Source { get; init; }

    /// <summary>The processor; null where not told.</summary>
    public TraceCpu? Cpu { get; init; }

    /// <summary>The machine's CPUs.</summary>
    public required Topology Topology { get; init; }

    /// <summary>The meters.</summary>
    public required ImmutableArray<Meter> Meters { get; init; }

    /// <summary>The virtual machines known at the start.</summary>
    public ImmutableArray<MachineRow> Machines { get; init; } = [];

    /// <summary>Where the attribution stood; null for a cold start.</summary>
    public TraceInitialState? InitialState { get; init; }
}
