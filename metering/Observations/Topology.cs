using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Where one CPU sits.</summary>
/// <param name="Cpu">The kernel's CPU number.</param>
/// <param name="Core">Core number, unique on the machine (not only in its package); hyperthreads of one core share it.</param>
/// <param name="Package">Package number, counted from 0.</param>
/// <param name="NumaNode">NUMA node number.</param>
public readonly record struct CpuPlace(int Cpu, int Core, int Package, int NumaNode);

/// <summary>A machine's CPUs and where they sit; a new value when CPUs come or go.</summary>
public sealed class Topology
{
    private readonly CpuPlace?[] _byCpu;
    private readonly int[] _siblings;
    private int[] _packages;

    /// <summary>Builds the topology; CPUs may come in any order and have holes.</summary>
    public Topology(IEnumerable<CpuPlace> cpus, Kilohertz? baseFrequency)
    {
        Cpus = [.. cpus.OrderBy(place => place.Cpu)];
        BaseFrequency = baseFrequency;
        PackageCount = Cpus.IsEmpty ? 0 : Cpus.Max(place => place.Package) + 1;
        _byCpu = new CpuPlace?[Cpus.IsEmpty ? 0 : Cpus.Max(place => place.Cpu) + 1];
        _siblings = new int[_byCpu.Length];
        Array.Fill(_siblings, -1);
        _packages = new int[_byCpu.Length];
        Array.Fill(_packages, -1);
        foreach (CpuPlace place in Cpus)
        {
            _byCpu[place.Cpu] = place;
            _packages[place.Cpu] = place.Package;
            foreach (CpuPlace other in Cpus)
            {
                if (other.Core == place.Core && other.Cpu != place.Cpu && _siblings[place.Cpu] < 0)
                {
                    _siblings[place.Cpu] = other.Cpu;
                }
            }
        }
    }

    /// <summary>
    /// This topology, which also knows the package of CPUs that were online before: what is still booked on one that went
    /// offline stays in its package.
    /// </summary>
    public Topology Remembering(Topology before)
    {
        ArgumentNullException.ThrowIfNull(before);
        int[] packages = new int[Math.Max(_packages.Length, before._packages.Length)];
        for (int cpu = 0; cpu < packages.Length; cpu++)
        {
            packages[cpu] = Place(cpu) is null ? before.Package(cpu) : _packages[cpu];
        }

        _packages = packages;
        return this;
    }

    /// <summary>The CPUs online, by number.</summary>
    public ImmutableArray<CpuPlace> Cpus { get; }

    /// <summary>The machine's memory, KiB; null where unknown.</summary>
    public long? MemoryKibibytes { get; init; }

    /// <summary>The CPUs' base frequency; null where unknown.</summary>
    public Kilohertz? BaseFrequency { get; }

    /// <summary>Highest package number + 1.</summary>
    public int PackageCount { get; }

    /// <summary>Highest CPU number + 1.</summary>
    public int CpuLimit => _byCpu.Length;

    /// <summary>Where a CPU sits, or null for a CPU this topology does not know (hot-plugged since).</summary>
    public CpuPlace? Place(int cpu) => unchecked((uint)cpu) < _byCpu.Length ? _byCpu[cpu] : null;

    /// <summary>The package of a CPU, also of one that went offline; -1 for a CPU this topology does not know.</summary>
    public int Package(int cpu) => unchecked((uint)cpu) < _packages.Length ? _packages[cpu] : -1;

    /// <summary>The hyperthread that shares this CPU's core, or -1.</summary>
    public int Sibling(int cpu) => unchecked((uint)cpu) < _siblings.Length ? _siblings[cpu] : -1;
}
