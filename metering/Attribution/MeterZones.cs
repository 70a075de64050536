namespace Keck.Metering;

/// <summary>
/// Which leaves each meter covers. The meters that follow runs fall into groups that cover the same CPUs, one for each zone: a package, or
/// a CPU where meters are of single CPUs (a guest's vCPUs), or all. A leaf of a zone is in its group, and in that of all; one whose zone
/// is unknown is in every group.
/// </summary>
internal sealed class MeterZones
{
    private readonly int[] _groupOfZone;
    private readonly int[] _groupOfMeter;
    private readonly bool _byCpu;
    private Topology? _topology;
    private int[] _slotOfCpu = [];

    internal MeterZones(ReadOnlySpan<Meter> meters)
    {
        _groupOfMeter = new int[meters.Length];
        int highest = -1;
        foreach (Meter meter in meters)
        {
            highest = Math.Max(highest, Zone(meter));
            _byCpu |= meter.Cpu is not null;
            MemoryMeters += meter.Domain == EnergyDomain.Dram ? 1 : 0;
        }

        _groupOfZone = new int[highest + 1];
        Array.Fill(_groupOfZone, -1);
        int groups = 0;
        for (int k = 0; k < meters.Length; k++)
        {
            _groupOfMeter[k] = -1;
            if (meters[k].Domain.FollowsRuns() && Zone(meters[k]) is var zone and >= 0)
            {
                ref int group = ref _groupOfZone[zone];
                group = group < 0 ? groups++ : group;
                _groupOfMeter[k] = group;
            }
        }

        ZoneCount = groups;
        for (int k = 0; k < meters.Length; k++)
        {
            if (meters[k].Domain.FollowsRuns() && Zone(meters[k]) < 0)
            {
                All = groups;
                _groupOfMeter[k] = groups;
            }
        }

        Count = All < 0 ? groups : groups + 1;
    }

    /// <summary>How many groups there are; those of zones come first.</summary>
    internal int Count { get; }

    /// <summary>Groups of zones.</summary>
    internal int ZoneCount { get; }

    /// <summary>The group of the meters that cover all CPUs; -1 for none.</summary>
    internal int All { get; } = -1;

    /// <summary>How many meters are of memory.</summary>
    internal int MemoryMeters { get; }

    /// <summary>Slot of a leaf whose zone is unknown; below it are the groups of zones.</summary>
    internal int Unknown => ZoneCount;

    /// <summary>Slot of a leaf that no meter of a zone covers.</summary>
    internal int Uncovered => ZoneCount + 1;

    /// <summary>The group of a meter, by its index; -1 for one that does not follow runs.</summary>
    internal int GroupOf(int meter) => _groupOfMeter[meter];

    /// <summary>What meters cover a CPU by; -1 where unknown.</summary>
    internal int ZoneOf(Topology topology, int cpu) => _byCpu ? cpu : topology.Package(cpu);

    /// <summary>Slots by CPU, as far as the topology goes.</summary>
    internal ReadOnlySpan<int> SlotsByCpu(Topology topology)
    {
        if (!ReferenceEquals(_topology, topology))
        {
            _topology = topology;
            _slotOfCpu = new int[topology.CpuLimit];
            for (int cpu = 0; cpu < _slotOfCpu.Length; cpu++)
            {
                _slotOfCpu[cpu] = SlotOf(topology, cpu);
            }
        }

        return _slotOfCpu;
    }

    /// <summary>Slot of a CPU.</summary>
    internal int SlotOf(Topology topology, int cpu)
    {
        int zone = ZoneOf(topology, cpu);
        return zone < 0 ? Unknown
            : zone < _groupOfZone.Length && _groupOfZone[zone] >= 0 ? _groupOfZone[zone]
            : Uncovered;
    }

    // The CPU or package that a meter covers; -1 for one that covers all.
    private static int Zone(Meter meter) => meter.Cpu ?? meter.Package ?? -1;

    /// <summary>Whether a meter covers a CPU: those of its zone, and those whose place is unknown.</summary>
    internal static bool Covers(Meter meter, Topology topology, int cpu)
    {
        int own = Zone(meter), zone = meter.Cpu is null ? topology.Package(cpu) : cpu;
        return own < 0 || zone < 0 || own == zone;
    }
}
