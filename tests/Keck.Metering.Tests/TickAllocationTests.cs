namespace Keck.Metering.Tests;

public sealed class TickAllocationTests
{
    [Fact]
    public void Tick_SameShapeOnceWarm_AllocatesNothing()
    {
        Observation observation = Machines.Observation(Machines.Topology(2, 4, smt: true), Machines.Package(0), Machines.Package(1), Machines.Dram(0));
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        int[] processes = [.. Enumerable.Range(1, 50).Select(i => observation.Process(100 + i, 1_000 + i, $"/cgroup-{i % 5}", $"container-{i % 6}", $"pod-{i % 2}"))];
        int[] threads = [.. Enumerable.Range(1, 200).Select(i => observation.Thread(1_000 + i, processes[i % processes.Length], kernel: i % 11 == 0))];
        Assert.True(Tick(observation, attributor, ledger, threads) > 0, "the first tick makes the storage");
        for (int warm = 1; warm < 20; warm++)
        {
            _ = Tick(observation, attributor, ledger, threads);
        }

        long allocated = Tick(observation, attributor, ledger, threads);

        Assert.Equal(0, allocated);
        Assert.Equal(21 * 3, ledger.Snapshot().Meters.Sum(meter => meter.Readings));
    }

    // What the attribution and the ledger allocate for one tick; filling the observation is not part of it.
    private static long Tick(Observation observation, Attributor attributor, EnergyLedger ledger, int[] threads)
    {
        observation.Next(100_000_000);
        foreach (int thread in threads)
        {
            observation.Run(thread, (thread % 16, 1_000_000, 2_400), ((thread + 1) % 16, 500_000, 1_200));
        }

        observation.CloseCpus(interruptEach: 10_000, lostEach: 1_000);
        for (int meter = 0; meter < 3; meter++)
        {
            observation.Read(meter, 5_000_000);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        ledger.Apply(observation, attributor.Attribute(observation));
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
