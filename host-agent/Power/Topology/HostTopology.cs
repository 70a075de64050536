using System.Collections.Frozen;
using Keck.Metering;

namespace Keck.Power;

/// <summary>The CPUs of a host and what its package numbers mean to the kernel.</summary>
/// <param name="Topology">The CPUs online.</param>
/// <param name="Packages">From (physical_package_id, die_id) to package number; die 0 where dies are not packages.</param>
/// <param name="Problem">What was wrong while reading; null where nothing was.</param>
internal sealed record HostTopology(Topology Topology, FrozenDictionary<(int Physical, int Die), int> Packages, MeterProblem? Problem)
{
    /// <summary>The package number of a RAPL zone's name; null where no CPU has that id.</summary>
    internal int? PackageOf(int physical, int? die) =>
        Packages.TryGetValue((physical, die ?? 0), out int package) ? package : null;
}
