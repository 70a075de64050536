namespace Keck.Metering.Tests;

public sealed class AttributionAllocationTests
{
    [Fact]
    public void AttributeAndApply_AfterWarmUp_AllocateNothing()
    {
        Observation observation = Machines.Observation(Machines.Topology(2, 8, smt: true), Machines.Package(0), Machines.Package(1), Machines.Dram(0), Machines.Dram(1));
        int[] processes = [.. Enumerable.Range(0, 100).Select(i => observation.Process(100 + i, 1_000 + i, $"/cgroup-{i % 20}", $"container-{i % 20}", $"pod-{i % 10}"))];
        int[] threads = [.. Enumerable.Range(0, 1_000).Select(i => observation.Thread(10_000 + i, processes[i % 100], kernel: i % 50 == 0))];
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        long allocated = 0;
        for (int tick = 0; tick < 40; tick++)
        {
            observation.Next(100_000_000);
            for (int i = 0; i < threads.Length; i++)
            {
                observation.Run(threads[i], (i % 32, 1_000_000 + i, 2_000), ((i + 7) % 32, 500_000, 1_000));
                ref ThreadSample sample = ref observation.Threads[observation.Threads.Count - 1];
                (sample.Cycles, sample.Instructions, sample.LlcMisses) = (3_000_000, 4_000_000 + i, i);
            }

            observation.CloseCpus(interruptEach: 100_000, lostEach: 10_000);
            for (int meter = 0; meter < 4; meter++)
            {
                // The memory of package 1 is a slow meter.
                if (meter < 3 || tick % 3 == 0)
                {
                    observation.Read(meter, 5_000_000 + tick);
                }
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            ledger.Apply(observation, attributor.Attribute(observation));
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (tick >= 20)
            {
                Assert.Equal(0, allocated);
            }
        }
    }
}
