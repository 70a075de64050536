using System.Collections.Immutable;

namespace Keck.Power;

/// <summary>What <c>keck-host doctor</c> says about energy: what was found, what is missing, and the command that mends it.</summary>
public static class PowerDoctor
{
    /// <summary>One finding about the CPUs, then one per source.</summary>
    public static ImmutableArray<SourceFinding> Examine(MeterSet meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        int cpus = meters.Topology.Cpus.Length;
        string name = meters.Cpu.Name.Length > 0 ? meters.Cpu.Name : "a CPU that /proc/cpuinfo does not name";
        string found = $"{cpus} CPUs online in {meters.Topology.PackageCount} packages, {name}";
        SourceFinding topology = new("cpus", cpus > 0 && meters.TopologyProblem is null, meters.TopologyProblem is { } problem ? $"{found}; {problem}" : found);
        return [topology, .. meters.Sources.Select(source => source.Finding)];
    }
}
