using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>The ledger at the end of a tick: immutable, and reading it changes nothing.</summary>
public sealed record LedgerSnapshot
{
    /// <summary>A ledger that has seen no tick.</summary>
    public static LedgerSnapshot Empty { get; } = new() { Epoch = Guid.Empty, Meters = [], Consumers = [], Cores = [] };

    /// <summary>Identifies the ledger: counters are comparable within one epoch.</summary>
    public required Guid Epoch { get; init; }

    /// <summary>The last tick in it; 0 before the first.</summary>
    public long Tick { get; init; }

    /// <summary>When the epoch began, on the monotonic clock, ns.</summary>
    public long StartNanoseconds { get; init; }

    /// <summary>End of the last tick on the monotonic clock, ns.</summary>
    public long EndNanoseconds { get; init; }

    /// <summary>The model of the last tick.</summary>
    public ModelKind Model { get; init; }

    /// <summary>The machine's CPUs.</summary>
    public Topology Topology { get; init; } = new([], null);

    /// <summary>The selected meters with their totals.</summary>
    public required ImmutableArray<MeterTotals> Meters { get; init; }

    /// <summary>Every consumer of every kind.</summary>
    public required ImmutableArray<ConsumerTotals> Consumers { get; init; }

    /// <summary>The machines by vCPU, by UUID; also those that are gone, until they are let go.</summary>
    public ImmutableArray<MachineTotals> Machines { get; init; } = [];

    /// <summary>Processes by CPU, sorted by CPU.</summary>
    public required ImmutableArray<CoreTotals> Cores { get; init; }
}
