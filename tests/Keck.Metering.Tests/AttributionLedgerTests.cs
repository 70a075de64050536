namespace Keck.Metering.Tests;

public sealed class AttributionLedgerTests
{
    private const long Second = 1_000_000_000;
    private readonly Attributor _attributor = new();
    private readonly EnergyLedger _ledger = new(Guid.NewGuid());

    [Fact]
    public void Apply_ProcessMovesToAnotherCgroup_EachKeepsWhatWasUsedInIt()
    {
        (Observation observation, int process, int thread) = OneProcess();
        int stayer = observation.Process(101, cgroup: "/old");
        int other = observation.Thread(1_001, stayer);
        Tick(observation, (thread, 1), (other, 1));
        observation.ProcessTable[process].Cgroup = "/new";
        Tick(observation, (thread, 3), (other, 1));
        LedgerSnapshot snapshot = _ledger.Snapshot();
        Assert.Equal(500_000 + 750_000, Energy(snapshot, ConsumerKind.Process, "100/100000"));
        Assert.Equal(500_000 + 500_000 + 250_000, Energy(snapshot, ConsumerKind.Cgroup, "/old"));
        Assert.Equal(750_000, Energy(snapshot, ConsumerKind.Cgroup, "/new"));
    }

    [Fact]
    public void Apply_LastProcessLeavesACgroup_TheCgroupIsLetGo()
    {
        (Observation observation, int process, int thread) = OneProcess();
        Tick(observation, (thread, 1));
        observation.ProcessTable[process].Cgroup = "/new";
        Tick(observation, (thread, 1));
        Assert.Equal(["/new"], _ledger.Snapshot().Consumers.Where(c => c.Kind == ConsumerKind.Cgroup).Select(c => c.Id));
    }

    [Fact]
    public void Apply_CountedThread_EachCpuHasItsPartByTimeAndAllAddUp()
    {
        (Observation observation, _, int thread) = OneProcess();
        observation.Next(Second);
        observation.Run(thread, (0, 1_000, 3_000), (1, 9_000, 1_000), (2, 10, 3));
        (observation.Threads[0].Instructions, observation.Threads[0].LlcMisses) = (1_000_003, 7);
        Book(observation);
        Assert.Equal((99_900L, 899_103L, 1_000L), Counts(core => core.Instructions));
        Assert.Equal(7, _ledger.Snapshot().Cores.Sum(core => core.LlcMisses));

        // Misses may not be counted; a tick without counts changes nothing.
        observation.Next(Second);
        observation.Run(thread, (0, 1_000, -1), (1, 3_000, -1));
        (observation.Threads[0].Instructions, observation.Threads[0].LlcMisses) = (4_000, Unobserved.Value);
        Book(observation);
        observation.Next(Second);
        observation.Run(thread, (2, 5_000, -1));
        Book(observation);
        Assert.Equal((100_900L, 902_103L, 1_000L), Counts(core => core.Instructions));
        Assert.Equal(7, _ledger.Snapshot().Cores.Sum(core => core.LlcMisses));

        (long?, long?, long?) Counts(Func<CoreTotals, long?> count)
        {
            CoreTotals[] cores = [.. _ledger.Snapshot().Cores.Where(core => core.Owner == "process")];
            return (count(cores[0]), count(cores[1]), count(cores[2]));
        }
    }

    [Fact]
    public void Apply_NothingCounted_CoresHaveNoCountsRatherThanZero()
    {
        (Observation observation, _, int thread) = OneProcess();
        Tick(observation, (thread, 1));
        Assert.All(_ledger.Snapshot().Cores, core => Assert.Equal((null, null), (core.Instructions, core.LlcMisses)));
    }

    [Fact]
    public void Depart_ProcessEnded_ItsEnergyMovesToTheDeparted()
    {
        (Observation observation, int process, int thread) = OneProcess();
        Tick(observation, (thread, 1));
        _ledger.Depart(process);
        LedgerSnapshot snapshot = _ledger.Snapshot();
        Assert.Empty(snapshot.Consumers);
        Assert.Equal((1_000_000, 1_000_000), (snapshot.Meters[0].DepartedActive, snapshot.Meters[0].Total));
        CoreTotals core = Assert.Single(snapshot.Cores);
        Assert.Equal(("departed", 0, 1_000_000L, 1_000_000L), (core.Owner, core.Cpu, core.Microjoules, core.Nanoseconds));

        // A second time there is nothing left of it.
        _ledger.Depart(process);
        Assert.Equal(1_000_000, _ledger.Snapshot().Meters[0].DepartedActive);
    }

    [Fact]
    public void Apply_RowReusedByAnotherProcess_StartsFromZero()
    {
        (Observation observation, int process, int thread) = OneProcess();
        Tick(observation, (thread, 1));
        observation.ThreadTable.End(thread);
        _ledger.Depart(process);
        observation.ProcessTable.Release(process);
        observation.Next(Second);
        int reused = observation.Process(200, cgroup: "/other");
        int successor = observation.Thread(2_000, reused);
        Assert.Equal((process, thread), (reused, successor));
        Fill(observation, (successor, 2));
        LedgerSnapshot snapshot = _ledger.Snapshot();
        Assert.Equal(1_000_000, Energy(snapshot, ConsumerKind.Process, "200/200000"));
        ThreadTotals totals = Assert.Single(_ledger.Threads(200));
        Assert.Equal((2_000, 1_000_000L, 2_000_000L), (totals.Tid, totals.Microjoules, totals.CpuNanoseconds));
        Assert.Equal([("departed", 1_000_000L), ("process", 1_000_000L)], snapshot.Cores.Select(core => (core.Owner, core.Microjoules)));
    }

    [Fact]
    public void Apply_ThreadOnOtherCpus_IsBookedWhereItRan()
    {
        (Observation observation, _, int thread) = OneProcess();
        for (int tick = 0; tick < 12; tick++)
        {
            observation.Next(Second);
            observation.Run(thread, (tick % 4, 1_000, 10), ((tick + 1) % 4, 2_000, 20), ((tick + 2) % 4, 3_000, 30));
            observation.CloseCpus();
            observation.Read(0, 6_000);
            _ledger.Apply(observation, _attributor.Attribute(observation));
        }

        CoreTotals[] cores = [.. _ledger.Snapshot().Cores];
        Assert.Equal([0, 1, 2, 3], cores.Select(core => core.Cpu));
        Assert.All(cores, core => Assert.Equal((18_000L, 18_000L, 180L), (core.Microjoules, core.Nanoseconds, core.KiloCycles!.Value)));
    }

    [Fact]
    public void Apply_NoMeterRead_CpuTimeIsBooked()
    {
        (Observation observation, _, int thread) = OneProcess();
        observation.Next(Second);
        observation.Run(thread, (0, 5_000_000, Unobserved.Value));
        observation.CloseCpus();
        _ledger.Apply(observation, _attributor.Attribute(observation));
        ConsumerTotals consumer = _ledger.Snapshot().Consumers.Single(c => c.Kind == ConsumerKind.Process);
        Assert.Equal((5_000_000, 0), (consumer.CpuNanoseconds, consumer.TotalActive));
        Assert.Null(consumer.Instructions);
    }

    [Fact]
    public void Apply_NewSetOfMeters_KeepsTheOldTotalsBesideTheNew()
    {
        (Observation observation, _, int thread) = OneProcess();
        Tick(observation, (thread, 1));
        Meter gauge = Machines.Package(0) with { Id = "package-0", Origin = EnergyOrigin.Hwmon, KnownStaticWatts = 0 };
        observation.Meters = [Machines.Package(1) with { KnownStaticWatts = 0 }, gauge];
        observation.Next(Second);
        observation.Run(thread, (0, 1_000_000, Unobserved.Value));
        observation.CloseCpus();
        observation.Read(1, 2_000_000);
        _ledger.Apply(observation, _attributor.Attribute(observation));
        LedgerSnapshot snapshot = _ledger.Snapshot();

        // The same id from another origin is another series.
        Assert.Equal([1_000_000L, 0, 2_000_000], snapshot.Meters.Select(meter => meter.Total));
        Assert.Equal([1_000_000L, 0, 2_000_000], snapshot.Consumers.Single(c => c.Kind == ConsumerKind.Process).Active);
    }

    [Fact]
    public void Snapshot_LaterTicks_DoNotChangeIt()
    {
        (Observation observation, int process, int thread) = OneProcess();
        Tick(observation, (thread, 1));
        LedgerSnapshot first = _ledger.Snapshot();
        Assert.Same(first, _ledger.Snapshot());
        (string, long, long, long)[] before = Text(first);
        Tick(observation, (thread, 5));
        _ledger.Depart(process);
        _ = _ledger.Snapshot();
        Assert.Equal(before, Text(first));
        Assert.Equal((1_000_000, 1, 0), (first.Meters[0].Total, first.Meters[0].Readings, first.Meters[0].DepartedActive));
    }

    private static (string, long, long, long)[] Text(LedgerSnapshot snapshot) =>
    [
        .. snapshot.Consumers.Select(c => ($"{c.Kind} {c.Id}", c.TotalActive, c.CpuNanoseconds, (long)c.Bounds.SystematicAbove)),
        .. snapshot.Cores.Select(c => ($"{c.Owner} {c.Cpu}", c.Microjoules, c.Nanoseconds, c.KiloCycles ?? -1)),
    ];

    private static long Energy(LedgerSnapshot snapshot, ConsumerKind kind, string id) => snapshot.Consumers.Single(c => c.Kind == kind && c.Id == id).TotalActive;

    private static (Observation Observation, int Process, int Thread) OneProcess()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 4), Machines.Package(0) with { KnownStaticWatts = 0 });
        int process = observation.Process(100, cgroup: "/old");
        return (observation, process, observation.Thread(1_000, process));
    }

    private void Tick(Observation observation, params (int Thread, long Milliseconds)[] runs)
    {
        observation.Next(Second);
        Fill(observation, runs);
    }

    private void Book(Observation observation)
    {
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        _ledger.Apply(observation, _attributor.Attribute(observation));
    }

    // A tick of 1 J.
    private void Fill(Observation observation, params (int Thread, long Milliseconds)[] runs)
    {
        foreach ((int thread, long milliseconds) in runs)
        {
            observation.Run(thread, (0, milliseconds * 1_000_000, Unobserved.Value));
        }

        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        _ledger.Apply(observation, _attributor.Attribute(observation));
    }

    [Fact]
    public void Apply_MeterSwitchesToTheWholeMachineAndBack_EachMetersEnergyHasItsOwnCells()
    {
        Meter package = Machines.Package(0);
        Meter platform = package with { Id = "platform", Domain = EnergyDomain.Platform, Package = null };
        Observation observation = Machines.Observation(Machines.Topology(1, 2), package, platform with { Selected = false });
        int process = observation.Process(10);
        int[] threads = [observation.Thread(11, process), observation.Thread(12, -1, kernel: true)];
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        for (int tick = 0; tick < 30; tick++)
        {
            bool whole = tick is >= 10 and < 20;
            if (tick is 10 or 20)
            {
                observation.Meters = [package with { Selected = !whole }, platform with { Selected = whole }];
            }

            observation.Next(100_000_000);
            observation.Run(threads[0], (tick % 2, 40_000_000, -1));
            observation.Run(threads[1], (1, 5_000_000, -1));
            observation.CloseCpus(interruptEach: 1_000_000, lostEach: 500_000);
            observation.Read(whole ? 1 : 0, 3_000_001);
            ledger.Apply(observation, attributor.Attribute(observation));

            LedgerSnapshot snapshot = ledger.Snapshot();
            foreach (MeterTotals meter in snapshot.Meters)
            {
                Assert.Equal(meter.Total - meter.IdleSeparate, snapshot.Cores.Where(row => row.Package == (meter.Meter.Package ?? -1)).Sum(row => row.Microjoules));
            }

            Assert.Equal(snapshot.Consumers.Single(c => c.Kind == ConsumerKind.Process).TotalActive, Assert.Single(ledger.Threads(10)).Microjoules);
        }
    }
}
