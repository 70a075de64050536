namespace Keck.Agent;

/// <summary>A process on a CPU: its active energy there, of the meters that follow runs; power over the last 10 to 20 s.</summary>
internal sealed record CoreDocument : FigureDocument
{
    /// <summary>The CPU; absent for energy whose CPU is not known.</summary>
    public int? Cpu { get; init; }

    public int? Core { get; init; }

    public int? Package { get; init; }

    public double CpuSeconds { get; init; }

    /// <summary>Mean frequency while it ran there.</summary>
    public long? KiloHertz { get; init; }

    /// <summary>Instructions retired there since the epoch; absent without counters.</summary>
    public long? Instructions { get; init; }

    /// <summary>Last-level cache misses there since the epoch.</summary>
    public long? LlcMisses { get; init; }
}
