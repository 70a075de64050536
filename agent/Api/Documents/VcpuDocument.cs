namespace Keck.Agent;

/// <summary>One vCPU: its active energy, of the meters that follow runs; power over the last 10 to 20 s.</summary>
internal sealed record VcpuDocument : FigureDocument
{
    public required int Vcpu { get; init; }

    /// <summary>Time its thread ran on the host.</summary>
    public required double CpuSeconds { get; init; }
}
