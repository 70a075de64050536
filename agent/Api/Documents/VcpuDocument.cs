namespace Keck.Agent;

/// <summary>One vCPU.</summary>
internal sealed record VcpuDocument
{
    public required int Vcpu { get; init; }

    /// <summary>Active energy of the meters that follow runs, µJ.</summary>
    public required long? EnergyMicrojoules { get; init; }

    /// <summary>Over the last 10 to 20 s.</summary>
    public double? PowerWatts { get; init; }

    /// <summary>Time its thread ran on the host.</summary>
    public required double CpuSeconds { get; init; }
}
