namespace Keck.Agent;

/// <summary>What the agent itself costs.</summary>
public sealed record SelfFacts
{
    /// <summary>Its process id: its row in the ledger says what it uses.</summary>
    public required int Pid { get; init; }

    /// <summary>CPU time since its start, ns.</summary>
    public long CpuNanoseconds { get; init; }

    /// <summary>Busy part of one CPU over the last minute, 0 to its number of threads; null before it is known.</summary>
    public double? CpuRatio { get; init; }

    /// <summary>Resident memory, bytes; null where unknown.</summary>
    public long? ResidentBytes { get; init; }

    /// <summary>The anonymous part of it, bytes: what the agent costs beyond its executable; null where unknown.</summary>
    public long? AnonymousBytes { get; init; }

    /// <summary>Memory of its eBPF maps, bytes, not part of the above; null without eBPF.</summary>
    public long? MapBytes { get; init; }
}
