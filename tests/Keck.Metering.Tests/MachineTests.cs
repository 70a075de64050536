namespace Keck.Metering.Tests;

/// <summary>Virtual machines: who owns their energy, by vCPU, and what their size is charged for.</summary>
public sealed class MachineTests
{
    private const int Seed = 815;
    private const string First = "11111111-2222-4333-8444-555555555555";
    private const string Second = "66666666-2222-4333-8444-555555555555";

    [Fact]
    public void Attribute_RandomTicksWithMachines_EveryMicrojouleHasOneOwnerUnderEachPolicy()
    {
        var random = new Random(Seed);
        Observation observation = Machines.Observation(
            new Topology(Machines.Topology(2, 4).Cpus, null) { MemoryKibibytes = 1 << 24 }, Machines.Package(0), Machines.Package(1), Machines.Dram(0));
        int first = observation.Machines.Set(new MachineRow(First, "one", 2, 1 << 20));
        int second = observation.Machines.Set(new MachineRow(Second, "two", 3, 1 << 22));
        int[] processes = [Qemu(observation, 100, first), Qemu(observation, 200, second), observation.Process(300, 1000), Qemu(observation, 400, second)];
        List<int> threads = [];
        for (int i = 0; i < 24; i++)
        {
            int thread = observation.Thread(1_000 + i, processes[i % 4]);
            ref ThreadRow row = ref observation.ThreadTable[thread];
            (row.Role, row.Vcpu) = i % 4 == 2 ? (ThreadRole.None, 0) : i / 4 < 3 ? (ThreadRole.Vcpu, i / 4) : (ThreadRole.Emulator, 0);
            threads.Add(thread);
        }

        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        long[] metered = new long[3];
        for (int tick = 1; tick <= 300; tick++)
        {
            observation.Next(random.Next(50_000_000, 150_000_000));
            if (tick == 150)
            {
                _ = observation.Machines.Set(observation.Machines[second] with { Running = false });
            }

            foreach (int thread in threads.Where(_ => random.Next(3) > 0))
            {
                observation.Run(thread, [.. Enumerable.Range(0, 2).Select(_ => (random.Next(8), random.NextInt64(1, 40_000_000), -1L))]);
            }

            observation.CloseCpus(interruptEach: random.Next(100_000));
            for (int meter = 0; meter < 3; meter++)
            {
                if (random.Next(4) > 0)
                {
                    long energy = random.Next(0, 20_000_000);
                    metered[meter] += energy;
                    observation.Read(meter, energy, unattributable: random.Next(20) == 0);
                }
            }

            TickAttribution result = attributor.Attribute(observation);
            for (int meter = 0; meter < 3; meter++)
            {
                MeterShares shares = result.Shares[meter];
                long active = 0;
                foreach (int process in result.Processes.Items)
                {
                    active += result.Active(process, meter);
                }

                long allocated = result.Allocated(first, meter) + result.Allocated(second, meter);
                Assert.Equal(shares.Total, active + shares.SystemActive + shares.UnattributedActive + allocated + shares.IdleAllocated);
                Assert.True(allocated <= shares.Static && result.Allocated(first, meter) >= 0 && result.Allocated(second, meter) >= 0);
                Assert.True(tick < 150 || result.Allocated(second, meter) == 0);
            }

            ledger.Apply(observation, result);
            AssertMachines(ledger.Snapshot(), metered);
        }

        LedgerSnapshot last = ledger.Snapshot();
        Assert.All(last.Machines, machine => Assert.True(machine.Overhead > 0 && machine.Vcpus.All(vcpu => vcpu.Microjoules > 0)));
        Assert.Equal(2, last.Consumers.Count(c => c.Kind == ConsumerKind.Machine));
    }

    [Fact]
    public void Attribute_Allocated_FollowsVcpusAndMemory()
    {
        Observation observation = Machines.Observation(
            new Topology(Machines.Topology(1, 8).Cpus, null) { MemoryKibibytes = 1000 },
            Machines.Package(0) with { KnownStaticWatts = 80 }, Machines.Dram(0) with { KnownStaticWatts = 10 });
        int first = observation.Machines.Set(new MachineRow(First, "one", 2, 100));
        int second = observation.Machines.Set(new MachineRow(Second, "two", 4, 300));
        observation.Next(1_000_000_000);
        observation.CloseCpus();
        observation.Read(0, 80_000_000);
        observation.Read(1, 10_000_000);

        TickAttribution result = new Attributor().Attribute(observation);

        Assert.Equal((20_000_000, 40_000_000, 20_000_000), (result.Allocated(first, 0), result.Allocated(second, 0), result.Shares[0].IdleAllocated));
        Assert.Equal((1_000_000, 3_000_000, 6_000_000), (result.Allocated(first, 1), result.Allocated(second, 1), result.Shares[1].IdleAllocated));
    }

    [Fact]
    public void Attribute_MoreVcpusThanCpus_NothingIsLeftToIdle()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0) with { KnownStaticWatts = 90 });
        int first = observation.Machines.Set(new MachineRow(First, "one", 4));
        int second = observation.Machines.Set(new MachineRow(Second, "two", 2));
        observation.Next(1_000_000_000);
        observation.CloseCpus();
        observation.Read(0, 90_000_000);

        TickAttribution result = new Attributor().Attribute(observation);

        Assert.Equal((60_000_000, 30_000_000, 0), (result.Allocated(first, 0), result.Allocated(second, 0), result.Shares[0].IdleAllocated));
    }

    [Fact]
    public void Apply_SlowMeter_SpreadsEarlierTicksOverTheVcpusThatRanThen()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0) with { KnownStaticWatts = 0 });
        int machine = observation.Machines.Set(new MachineRow(First, "one", 2));
        int process = Qemu(observation, 100, machine);
        int[] vcpus = [observation.Thread(101, process), observation.Thread(102, process)];
        for (int i = 0; i < 2; i++)
        {
            (observation.ThreadTable[vcpus[i]].Role, observation.ThreadTable[vcpus[i]].Vcpu) = (ThreadRole.Vcpu, i);
        }

        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Tick(vcpus[0], 1_000_000);

        // vCPU 0 runs two ticks, vCPU 1 one; then, in the tick of the reading, vCPU 1 alone.
        Tick(vcpus[0], null);
        Tick(vcpus[0], null);
        Tick(vcpus[1], null);
        Tick(vcpus[1], 4_000_000);

        MachineTotals totals = Assert.Single(ledger.Snapshot().Machines);
        Assert.Equal([new VcpuTotals(0, 3_000_000, 150_000_000), new VcpuTotals(1, 2_000_000, 100_000_000)], totals.Vcpus);
        Assert.Equal(0, totals.Overhead);

        void Tick(int thread, long? energy)
        {
            observation.Next(100_000_000);
            observation.Run(thread, (0, 50_000_000, -1));
            observation.CloseCpus();
            if (energy is { } known)
            {
                observation.Read(0, known);
            }

            ledger.Apply(observation, attributor.Attribute(observation));
        }
    }

    [Fact]
    public void Attribute_VhostKernelThread_IsOfItsMachine()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0) with { KnownStaticWatts = 0 });
        int process = Qemu(observation, 100, observation.Machines.Set(new MachineRow(First, "one", 2)));
        int worker = observation.Thread(150, process, kernel: true);
        observation.ThreadTable[worker].Role = ThreadRole.Vhost;
        observation.Next(100_000_000);
        observation.Run(worker, (0, 50_000_000, -1));
        observation.CloseCpus();
        observation.Read(0, 1_000_000);

        var ledger = new EnergyLedger(Guid.NewGuid());
        ledger.Apply(observation, new Attributor().Attribute(observation));

        Assert.Equal(1_000_000, Assert.Single(ledger.Snapshot().Machines).Overhead);
        Assert.Equal(0, ledger.Snapshot().Meters[0].SystemActive);
    }

    [Fact]
    public void Apply_MachineStoppedAndStartedAgain_CountsOn()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0) with { KnownStaticWatts = 0 });
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        for (int run = 1; run <= 2; run++)
        {
            int machine = observation.Machines.Set(new MachineRow(First, "one", 2));
            int process = Qemu(observation, 100 + run, machine);
            int thread = observation.Thread(1_000 + run, process);
            observation.ThreadTable[thread].Role = ThreadRole.Vcpu;
            observation.Next(100_000_000);
            observation.Run(thread, (0, 50_000_000, -1));
            observation.CloseCpus();
            observation.Read(0, 1_000_000);
            ledger.Apply(observation, attributor.Attribute(observation));
            MachineTotals totals = Assert.Single(ledger.Snapshot().Machines);
            Assert.Equal((run * 1_000_000, 1), (totals.Vcpus[0].Microjoules, totals.Series));

            observation.ThreadTable.End(thread);
            ledger.Depart(process);
            observation.ProcessTable.Release(process);
            observation.Machines.Release(machine);
            Assert.False(Assert.Single(ledger.Snapshot().Machines).Running);
        }
    }

    [Fact]
    public void Apply_ManyMachinesGone_LetsGoOfTheOldestAndConserves()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 64), Machines.Package(0) with { KnownStaticWatts = 10 });
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        for (int i = 0; i < MachineBook.MostGone + 20; i++)
        {
            int machine = observation.Machines.Set(new MachineRow($"machine-{i}", null, 2));
            observation.Next(100_000_000);
            observation.CloseCpus();
            observation.Read(0, 1_000_000);
            ledger.Apply(observation, attributor.Attribute(observation));
            observation.Machines.Release(machine);
        }

        LedgerSnapshot snapshot = ledger.Snapshot();
        Assert.InRange(snapshot.Machines.Length, MachineBook.MostGone, MachineBook.MostGone + 1);
        Assert.DoesNotContain(snapshot.Machines, machine => machine.Uuid == "machine-0");
        MeterTotals totals = snapshot.Meters[0];
        Assert.True(totals.DepartedAllocated > 0);
        Assert.Equal(totals.Total, totals.IdleAllocated + totals.DepartedAllocated + snapshot.Consumers.Sum(c => c.TotalStatic(IdlePolicy.Allocated)));
    }

    [Fact]
    public void Attribute_BudgetMeters_EachVcpusEnergyGoesToWhoRanOnIt()
    {
        var random = new Random(Seed);
        Observation observation = Guest(3);
        int[] processes = [observation.Process(10, 100), observation.Process(20, 300)];
        int[] threads = [observation.Thread(11, processes[0]), observation.Thread(21, processes[1])];
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        long[] metered = new long[observation.Meters.Length];
        for (int tick = 0; tick < 100; tick++)
        {
            observation.Next(1_000_000_000);

            // The first process runs on vCPU 0 only, the second on 0 and 1; nobody on 2.
            observation.Run(threads[0], (0, random.Next(1, 500_000_000), -1));
            observation.Run(threads[1], (0, random.Next(1, 500_000_000), -1), (1, random.Next(1, 900_000_000), -1));
            observation.CloseCpus();
            for (int meter = 0; meter < observation.Meters.Length; meter++)
            {
                long energy = random.Next(1_000, 2_000_000);
                metered[meter] += energy;
                observation.Read(meter, energy);
            }

            TickAttribution result = attributor.Attribute(observation);
            Assert.Equal(0, result.Active(processes[0], 1));
            Assert.Equal(result.Shares[1].Total, result.Active(processes[1], 1));
            Assert.Equal(result.Shares[2].Total, result.Shares[2].IdleSeparate);
            Assert.Equal(result.Shares[3].Total, result.Shares[3].Overhead);
            Assert.Equal(0, result.Shares[3].IdleSeparate);
            Assert.Equal(result.Shares[5].Total, result.Shares[5].IdleSeparate);
            Assert.Equal(result.Shares[5].Total, result.Proportional(processes[0], 5) + result.Proportional(processes[1], 5));
            Assert.Equal(0, result.Shares[5].IdleProportional);
            ledger.Apply(observation, result);
        }

        LedgerSnapshot snapshot = ledger.Snapshot();
        for (int meter = 0; meter < metered.Length; meter++)
        {
            MeterTotals totals = snapshot.Meters[meter];
            long active = snapshot.Consumers.Where(c => c.Kind == ConsumerKind.Process).Sum(c => c.Active[meter]);
            Assert.Equal(metered[meter], totals.Total);
            Assert.Equal(totals.Total, active + totals.SystemActive + totals.UnattributedActive + totals.Overhead + totals.IdleSeparate);
        }

        for (int cpu = 0; cpu < 2; cpu++)
        {
            Assert.Equal(snapshot.Meters[cpu].Total, snapshot.Cores.Where(row => row.Cpu == cpu).Sum(row => row.Microjoules));
        }
    }

    [Fact]
    public void Attribute_LateBudget_CoversTheTicksItWasMissingIn()
    {
        Observation observation = Guest(1);
        int[] processes = [observation.Process(10), observation.Process(20)];
        int[] threads = [observation.Thread(11, processes[0]), observation.Thread(21, processes[1])];
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Tick(threads[0], 0);
        Tick(threads[0], null);
        Tick(threads[1], 2_000_000);

        LedgerSnapshot snapshot = ledger.Snapshot();
        Assert.Equal([1_000_000, 1_000_000], snapshot.Consumers.Where(c => c.Kind == ConsumerKind.Process).Select(c => c.Active[0]));
        Assert.Equal(2_000_000, snapshot.Cores.Where(row => row.Cpu == 0).Sum(row => row.Microjoules));

        void Tick(int thread, long? energy)
        {
            observation.Next(1_000_000_000);
            observation.Run(thread, (0, 500_000_000, -1));
            observation.CloseCpus();
            if (energy is { } known)
            {
                observation.Read(0, known);
            }

            ledger.Apply(observation, attributor.Attribute(observation));
        }
    }

    [Fact]
    public void Attribute_ReadingWithItsOwnBounds_WidensTheConsumersBounds()
    {
        (long low, long high) = BoundsWith(0, 0);
        (long lowWith, long highWith) = BoundsWith(200_000, 300_000);

        Assert.Equal((low - 200_000, high + 300_000), (lowWith, highWith));

        static (long Low, long High) BoundsWith(long below, long above)
        {
            Observation observation = Guest(1);
            int process = observation.Process(10);
            int thread = observation.Thread(11, process);
            observation.Next(1_000_000_000);
            observation.Run(thread, (0, 500_000_000, -1));
            observation.CloseCpus();
            observation.Read(0, 1_000_000);
            (observation.MeterSamples[0].Below, observation.MeterSamples[0].Above) = (below, above);
            TickAttribution result = new Attributor().Attribute(observation);
            return (result.Bounds(process).Low(1_000_000), result.Bounds(process).High(1_000_000));
        }
    }

    private static Observation Guest(int vcpus)
    {
        var meter = new Meter { Id = "", Domain = EnergyDomain.Vcpu, Origin = EnergyOrigin.Budget, Quality = ReadingQuality.Derived, Selected = true, KnownStaticWatts = 0 };
        return Machines.Observation(
            Machines.Topology(1, vcpus),
            [
                .. Enumerable.Range(0, vcpus).Select(cpu => meter with { Id = $"vcpu-{cpu}", Cpu = cpu }),
                meter with { Id = "overhead", Domain = EnergyDomain.Overhead },
                meter with { Id = "dram", Domain = EnergyDomain.Dram },
                meter with { Id = "static", Domain = EnergyDomain.Static },
            ]);
    }

    private static int Qemu(Observation observation, int pid, int machine)
    {
        int process = observation.Process(pid, 1000);
        observation.ProcessTable[process].Machine = machine;
        return process;
    }

    private static void AssertMachines(LedgerSnapshot snapshot, long[] metered)
    {
        foreach (MachineTotals machine in snapshot.Machines)
        {
            ConsumerTotals consumer = snapshot.Consumers.Single(c => c.Kind == ConsumerKind.Machine && c.Id == machine.Uuid);
            Assert.Equal(consumer.Active[0] + consumer.Active[1], machine.Overhead + machine.Vcpus.Sum(vcpu => vcpu.Microjoules));
            Assert.True(machine.Overhead >= 0);
            Assert.Equal(snapshot.Consumers.Where(c => c.Kind == ConsumerKind.Process && c.Machine == machine.Uuid).Sum(c => c.TotalActive), consumer.TotalActive);
        }

        for (int meter = 0; meter < metered.Length; meter++)
        {
            MeterTotals totals = snapshot.Meters[meter];
            Assert.Equal(metered[meter], totals.Total);
            Assert.Equal(totals.Total - totals.IdleSeparate, totals.Total - totals.IdleAllocated - snapshot.Consumers.Sum(c => c.Static(IdlePolicy.Allocated, meter)));
        }
    }
}
