namespace Keck.Metering.Tests;

public sealed class AttributionMeterTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Attribute_Dram_SixtyPercentByMemoryFortyByMisses()
    {
        (Observation observation, int holder, int toucher) = Memory(misses: 1_000);

        // The holder has 3/4 of the memory and 1/4 of the misses: 0.6 × 0.75 + 0.4 × 0.25 = 0.55.
        TickAttribution result = new Attributor(new AttributionOptions { Signatures = false }).Attribute(observation);
        Assert.Equal((550_000, 450_000), (result.Active(holder, 0), result.Active(toucher, 0)));
    }

    [Fact]
    public void Attribute_DramWithoutCounters_GoesByMemoryAlone()
    {
        (Observation observation, int holder, int toucher) = Memory(misses: Unobserved.Value);
        TickAttribution result = new Attributor().Attribute(observation);
        Assert.Equal((750_000, 250_000), (result.Active(holder, 0), result.Active(toucher, 0)));
    }

    [Fact]
    public void Attribute_DramWithNothingKnown_IsUnattributed()
    {
        (Observation observation, int holder, int toucher) = Memory(misses: Unobserved.Value);
        observation.ProcessTable[holder].PssKibibytes = Unobserved.Value;
        observation.ProcessTable[toucher].PssKibibytes = Unobserved.Value;
        TickAttribution result = new Attributor().Attribute(observation);
        Assert.Equal(1_000_000, result.Shares[0].UnattributedActive);
        Assert.Empty(result.Processes.Items.ToArray());
    }

    [Fact]
    public void Attribute_SlowMeter_SplitsItsReadingOverAllTicksSinceTheLast()
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses(0);
        var attributor = new Attributor();
        Tick(observation, attributor, threads[0], read: 100);
        Assert.False(Tick(observation, attributor, threads[0], read: null).Shares[0].Observed);
        Assert.False(Tick(observation, attributor, threads[0], read: null).Shares[0].Observed);
        TickAttribution result = Tick(observation, attributor, threads[1], read: 3_000);

        // Two of the three ticks it covers were the first process's.
        Assert.Equal((2_000, 1_000), (result.Active(processes[0], 0), result.Active(processes[1], 0)));
        Assert.Equal((2_000, processes[0]), (result.OffCore[0].Microjoules, result.OffCore[0].Owner));
        Assert.Equal(1_000, Assert.Single(result.RunMicrojoules.Items.ToArray()));

        // And the next reading has forgotten them.
        Assert.Equal(500, Tick(observation, attributor, threads[1], read: 500).Active(processes[1], 0));
    }

    [Fact]
    public void Attribute_SlowMeterOfAProcessReleasedSince_IsUnattributed()
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses(0);
        var attributor = new Attributor();
        Tick(observation, attributor, threads[0], read: 100);
        Tick(observation, attributor, threads[0], read: null);
        observation.ProcessTable.Release(processes[0]);
        TickAttribution result = Tick(observation, attributor, threads[1], read: 2_000);
        Assert.Equal((1_000, 1_000), (result.Active(processes[1], 0), result.Shares[0].UnattributedActive));
    }

    [Fact]
    public void Attribute_Gauge_HoldsItsLastReadingAndCarriesTheRemainder()
    {
        (Observation observation, int[] threads, _) = TwoProcesses(0);
        var attributor = new Attributor();
        long total = 0;
        for (int tick = 0; tick < 1_000; tick++)
        {
            observation.Next(1_000_333);
            observation.Run(threads[0], (0, 1_000_000, Unobserved.Value));
            observation.CloseCpus();
            if (tick == 0)
            {
                observation.ReadGauge(0, 7_777);
            }

            total += attributor.Attribute(observation).Shares[0].Total;
        }

        // 7.777 W × 1.000333 s, cut once and not a thousand times.
        Assert.Equal(7_777L * 1_000_333 * 1_000 / 1_000_000, total);
    }

    [Fact]
    public void Attribute_GaugeOlderThanThirtySeconds_SaysNothing()
    {
        (Observation observation, int[] threads, _) = TwoProcesses(0);
        var attributor = new Attributor();
        observation.Next(Second);
        observation.Run(threads[0], (0, 1_000_000, Unobserved.Value));
        observation.CloseCpus();
        observation.ReadGauge(0, 5_000);
        Assert.True(attributor.Attribute(observation).Shares[0].Observed);
        Assert.True(Tick(observation, attributor, threads[0], read: null, length: 30 * Second).Shares[0].Observed);
        Assert.False(Tick(observation, attributor, threads[0], read: null, length: 1).Shares[0].Observed);
    }

    [Fact]
    public void Attribute_LostTime_IsUnattributedByItsWeight()
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses(0);
        observation.Next(Second);
        observation.Run(threads[0], (0, 200_000_000, Unobserved.Value));
        observation.CloseCpus(lostEach: 50_000_000);
        observation.Read(0, 3_000_000);
        TickAttribution result = new Attributor().Attribute(observation);
        Assert.Equal((2_000_000, 1_000_000), (result.Active(processes[0], 0), result.Shares[0].UnattributedActive));
        Assert.Equal([500_000, 500_000], result.LostMicrojoules.Items.ToArray());
    }

    [Fact]
    public void Attribute_UnattributableReading_IsNeverSplit()
    {
        (Observation observation, int[] threads, _) = TwoProcesses(2);
        observation.Next(Second);
        observation.Run(threads[0], (0, 200_000_000, Unobserved.Value));
        observation.CloseCpus();
        observation.Read(0, 3_000_000, unattributable: true);
        TickAttribution result = new Attributor().Attribute(observation);
        Assert.Equal((3_000_000, 0, 0), (result.Shares[0].UnattributedActive, result.Shares[0].Static, result.Shares[0].IdleSeparate));
        Assert.Empty(result.Processes.Items.ToArray());
    }

    [Fact]
    public void Attribute_KernelThreadsAndInterrupts_AreTheSystems()
    {
        (Observation observation, int[] threads, int[] processes) = TwoProcesses(0);
        int kernel = observation.Thread(2, -1, kernel: true);
        observation.Next(Second);
        observation.Run(threads[0], (0, 500_000_000, Unobserved.Value));
        observation.Run(kernel, (1, 300_000_000, Unobserved.Value));
        observation.CloseCpus(interruptEach: 100_000_000);
        observation.Read(0, 1_000_000);
        TickAttribution result = new Attributor().Attribute(observation);
        Assert.Equal((500_000, 500_000), (result.Active(processes[0], 0), result.Shares[0].SystemActive));
        Assert.Equal([100_000, 100_000], result.InterruptMicrojoules.Items.ToArray());
    }

    [Fact]
    public void Attribute_ThreadWithoutProcess_IsUnattributed()
    {
        (Observation observation, int[] threads, _) = TwoProcesses(0);
        observation.ThreadTable[threads[0]].Process = -1;
        observation.Next(Second);
        observation.Run(threads[0], (0, 500_000_000, Unobserved.Value));
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        Assert.Equal(1_000_000, new Attributor().Attribute(observation).Shares[0].UnattributedActive);
    }

    [Fact]
    public void Attribute_Package_IsPaidByThoseOnIt()
    {
        Observation observation = Machines.Observation(Machines.Topology(2, 1), Machines.Package(0) with { KnownStaticWatts = 0 }, Machines.Package(1) with { KnownStaticWatts = 0 });
        int process = observation.Process(100), other = observation.Process(101);
        int thread = observation.Thread(1_000, process), stranger = observation.Thread(1_001, other);
        observation.Next(Second);
        observation.Run(thread, (0, 1_000_000, Unobserved.Value), (1, 1_000_000, Unobserved.Value));
        observation.Run(stranger, (1, 1_000_000, Unobserved.Value));
        observation.CloseCpus();
        observation.Read(0, 1_000);
        observation.Read(1, 1_000);
        TickAttribution result = new Attributor().Attribute(observation);
        Assert.Equal((1_000, 500), (result.Active(process, 0), result.Active(process, 1)));
        Assert.Equal((0, 500), (result.Active(other, 0), result.Active(other, 1)));
    }

    [Fact]
    public void Attribute_MergedTicks_EqualOneLongTick()
    {
        (Observation shorts, int[] threads, int[] processes) = TwoProcesses(2);
        var attributor = new Attributor();
        long first = 0, second = 0;
        for (int tick = 0; tick < 10; tick++)
        {
            shorts.Next(Second / 10);
            shorts.Run(threads[0], (0, 30_000_000, Unobserved.Value));
            shorts.Run(threads[1], (1, 10_000_000, Unobserved.Value));
            shorts.CloseCpus();
            shorts.Read(0, 1_000_000);
            TickAttribution result = attributor.Attribute(shorts);
            first += result.Active(processes[0], 0);
            second += result.Active(processes[1], 0);
        }

        (Observation once, threads, processes) = TwoProcesses(2);
        once.Next(Second);
        once.Run(threads[0], (0, 300_000_000, Unobserved.Value));
        once.Run(threads[1], (1, 100_000_000, Unobserved.Value));
        once.CloseCpus();
        once.Read(0, 10_000_000);
        TickAttribution whole = new Attributor().Attribute(once);
        Assert.Equal((6_000_000, 2_000_000), (whole.Active(processes[0], 0), whole.Active(processes[1], 0)));
        Assert.Equal((whole.Active(processes[0], 0), whole.Active(processes[1], 0)), (first, second));
    }

    private static TickAttribution Tick(Observation observation, Attributor attributor, int thread, long? read, long length = Second)
    {
        observation.Next(length);
        observation.Run(thread, (0, 1_000_000, Unobserved.Value));
        observation.CloseCpus();
        if (read is { } energy)
        {
            observation.Read(0, energy);
        }

        return attributor.Attribute(observation);
    }

    private static (Observation Observation, int Holder, int Toucher) Memory(long misses)
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Dram(0) with { KnownStaticWatts = 0 });
        int holder = observation.Process(100, pss: 3_000), toucher = observation.Process(101, pss: 1_000);
        int[] threads = [observation.Thread(1_000, holder), observation.Thread(1_001, toucher)];
        observation.Next(Second);
        foreach (int thread in threads)
        {
            observation.Run(thread, (0, 1_000_000, Unobserved.Value));
        }

        (observation.Threads[0].LlcMisses, observation.Threads[1].LlcMisses) = (misses, misses < 0 ? misses : 3 * misses);
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        return (observation, holder, toucher);
    }

    private static (Observation Observation, int[] Threads, int[] Processes) TwoProcesses(double staticWatts)
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0) with { KnownStaticWatts = staticWatts });
        int[] processes = [observation.Process(100), observation.Process(101)];
        return (observation, [observation.Thread(1_000, processes[0]), observation.Thread(1_001, processes[1])], processes);
    }
}
