namespace Keck.Metering;

/// <summary>What part of a machine a meter covers. Domains overlap: see <see cref="EnergyDomains"/>.</summary>
public enum EnergyDomain
{
    /// <summary>A processor package (socket, or die where RAPL has one zone per die).</summary>
    Package,

    /// <summary>The cores of a package (RAPL power plane 0), or one core (AMD).</summary>
    Core,

    /// <summary>The part of a package outside its cores (RAPL power plane 1; on clients the GPU).</summary>
    Uncore,

    /// <summary>Memory attached to a package; not inside <see cref="Package"/>.</summary>
    Dram,

    /// <summary>The vendor-defined platform domain of RAPL; contains packages and often memory.</summary>
    Psys,

    /// <summary>The whole machine, as its power supplies see it.</summary>
    Platform,

    /// <summary>An accelerator card.</summary>
    Gpu,

    /// <summary>A main board without its processors and memory.</summary>
    Board,

    /// <summary>Disks.</summary>
    Storage,

    /// <summary>Network cards.</summary>
    Network,

    /// <summary>In a guest: one vCPU's budget.</summary>
    Vcpu,

    /// <summary>In a guest: what the hypervisor spends on this machine outside its vCPUs.</summary>
    Overhead,

    /// <summary>In a guest: the machine's share of the host's static energy.</summary>
    Static,
}
