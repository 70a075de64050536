namespace Keck.Agent;

/// <summary>What the agent itself costs, and what it may.</summary>
internal sealed record SelfDocument
{
    public int Pid { get; init; }

    public double CpuSeconds { get; init; }

    public double? CpuRatio { get; init; }

    public long? ResidentBytes { get; init; }

    public long? AnonymousBytes { get; init; }

    public long? MapBytes { get; init; }

    public double CpuBudgetRatio { get; init; }

    public long MemoryBudgetBytes { get; init; }

    /// <summary>Its own row in the ledger; absent while it has none.</summary>
    public ConsumerDocument? Energy { get; init; }
}
