namespace Keck.Metering;

/// <summary>What the domains mean to each other: which lie inside which, and their names in traces and metrics.</summary>
public static class EnergyDomains
{
    private static readonly string[] Names =
    [
        "package", "core", "uncore", "dram", "psys", "platform", "gpu", "board", "storage", "network", "vcpu", "overhead", "static",
    ];

    /// <summary>The domain's name in traces, metrics and JSON, such as <c>package</c>.</summary>
    public static string Name(this EnergyDomain domain) => Names[(int)domain];

    /// <summary>The domain of a name, or null for a name that is none.</summary>
    public static EnergyDomain? Parse(string name)
    {
        int index = Array.IndexOf(Names, name);
        return index < 0 ? null : (EnergyDomain)index;
    }

    /// <summary>
    /// Whether <paramref name="outer"/> includes the energy of <paramref name="inner"/>, so that the two must never be added.
    /// <c>psys</c> is vendor-defined: it is taken to contain memory too, the safe reading.
    /// </summary>
    public static bool Contains(EnergyDomain outer, EnergyDomain inner) => outer switch
    {
        EnergyDomain.Platform => inner is not (EnergyDomain.Platform or EnergyDomain.Vcpu or EnergyDomain.Overhead or EnergyDomain.Static),
        EnergyDomain.Psys => inner is EnergyDomain.Package or EnergyDomain.Core or EnergyDomain.Uncore or EnergyDomain.Dram,
        EnergyDomain.Package => inner is EnergyDomain.Core or EnergyDomain.Uncore,
        _ => false,
    };

    /// <summary>Whether the domain's active energy follows who ran on its CPUs (as against who holds memory).</summary>
    public static bool FollowsRuns(this EnergyDomain domain) => domain is not (EnergyDomain.Dram or EnergyDomain.Overhead or EnergyDomain.Static);
}
