namespace Keck.Agent;

/// <summary>A process on a CPU.</summary>
internal sealed record CoreDocument
{
    /// <summary>The CPU; absent for energy whose CPU is not known.</summary>
    public int? Cpu { get; init; }

    public int? Core { get; init; }

    public int? Package { get; init; }

    /// <summary>Active energy since the epoch, µJ, of the meters that follow runs.</summary>
    public long? EnergyMicrojoules { get; init; }

    /// <summary>Mean over the last 10 to 20 s.</summary>
    public double? PowerWatts { get; init; }

    public double CpuSeconds { get; init; }

    /// <summary>Mean frequency while it ran there.</summary>
    public long? KiloHertz { get; init; }
}
