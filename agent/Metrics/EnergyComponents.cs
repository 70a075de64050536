using Keck.Metering;

namespace Keck.Agent;

/// <summary>The few words that consumers' metrics say a domain in.</summary>
internal static class EnergyComponents
{
    /// <summary>All of them, in the order of their index.</summary>
    internal static readonly string[] Names = ["cpu", "dram", "gpu", "overhead"];

    /// <summary>Index of what vCPUs, or processes, used.</summary>
    internal const int Cpu = 0;

    /// <summary>Index of what a machine's other threads used.</summary>
    internal const int Overhead = 3;

    /// <summary>Index into <see cref="Names"/>.</summary>
    internal static int Of(EnergyDomain domain) => domain switch
    {
        EnergyDomain.Dram => 1,
        EnergyDomain.Gpu => 2,
        EnergyDomain.Overhead or EnergyDomain.Static => Overhead,
        _ => Cpu,
    };
}
