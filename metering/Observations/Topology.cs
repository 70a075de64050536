using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Where one CPU sits.</summary>
/// <param name="Cpu">The kernel's CPU number.</param>
/// <param name="Core">Core number, unique on the machine (not only in its package); hyperthreads of one core share it.</param>
/// <param name="Package">Package number, counted from 0.</param>
/// <param name="NumaNode">NUMA node number.</param>
public readonly record struct CpuPlace(int Cpu, int Core, int Package, int NumaNode);

/// <summary>A CPU that was online before: what is still booked on it stays in its package.</summary>
/// <param name="Cpu">The kernel's CPU number.</param>
/// <param name="Package">Package number, counted from 0.</param>
public readonly record struct OfflineCpu(int Cpu, int Package);

/// <summary>A machine's CPUs and where they sit; never changed, but replaced by a new value when CPUs come or go.</summary>
public sealed class Topology
{
    private readonly CpuPlace?[] _byCpu;
    private readonly int[] _siblings;
    private readonly int[] _packages;

    /// <summary>Builds the topology; CPUs may come in any order and have holes.</summary>
    /// <param name="cpus">The CPUs online.</param>
    /// <param name="baseFrequency">Their base frequency; null where unknown.</param>
    /// <param name="offline">Those that were online before; one that is online again is left out.</param>
    public Topology(IEnumerable<CpuPlace> cpus, Kilohertz? baseFrequency, IEnumerable<OfflineCpu>? offline = null)
    {
        Cpus = [.. cpus.OrderBy(place => place.Cpu)];
        BaseFrequency = baseFrequency;
        PackageCount = Cpus.IsEmpty ? 0 : Cpus.Max(place => place.Package) + 1;
        _byCpu = new CpuPlace?[Cpus.IsEmpty ? 0 : Cpus.Max(place => place.Cpu) + 1];
        _siblings = new int[_byCpu.Length];
        Array.Fill(_siblings, -1);
        ImmutableHashSet<int> online = [.. Cpus.Select(place => place.Cpu)];
        Offline = [.. (offline ?? []).Where(cpu => !online.Contains(cpu.Cpu)).OrderBy(cpu => cpu.Cpu)];
        _packages = new int[Math.Max(_byCpu.Length, Offline.IsEmpty ? 0 : Offline[^1].Cpu + 1)];
        Array.Fill(_packages, -1);
        foreach (OfflineCpu cpu in Offline)
        {
            _packages[cpu.Cpu] = cpu.Package;
        }

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

    /// <summary>This topology with what another knows of CPUs that are not online in this one: itself where that is nothing new.</summary>
    public Topology Remembering(Topology before)
    {
        ArgumentNullException.ThrowIfNull(before);
        OfflineCpu[] news = [.. before.Cpus.Select(place => new OfflineCpu(place.Cpu, place.Package)).Concat(before.Offline).Where(cpu => Package(cpu.Cpu) < 0)];
        return news.Length == 0 ? this : new Topology(Cpus, BaseFrequency, Offline.Concat(news)) { MemoryKibibytes = MemoryKibibytes };
    }

    /// <summary>The CPUs online, by number.</summary>
    public ImmutableArray<CpuPlace> Cpus { get; }

    /// <summary>The CPUs that were online before and are not, by number.</summary>
    public ImmutableArray<OfflineCpu> Offline { get; }

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
