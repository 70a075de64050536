namespace Keck.Metering.Tests;

public sealed class ConservationTests
{
    private const int Seed = 4711;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Attribute_RandomTicks_EveryMicrojouleHasExactlyOneOwner(bool counters)
    {
        var random = new Random(Seed);
        Observation observation = Machines.Observation(Machines.Topology(2, 4, smt: true), Machines.Package(0), Machines.Package(1), Machines.Dram(0), Machines.Dram(1));
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        int[] processes = [.. Enumerable.Range(1, 30).Select(i => observation.Process(100 + i, random.Next(-1, 1 << 20), $"/cgroup-{i % 5}", i % 3 == 0 ? $"container-{i % 6}" : null, i % 3 == 0 ? $"pod-{i % 2}" : null))];
        int[] threads = [.. Enumerable.Range(1, 80).Select(i => observation.Thread(1_000 + i, processes[i % processes.Length], kernel: i % 11 == 0))];
        long[] metered = new long[4];
        for (int tick = 1; tick <= 200; tick++)
        {
            observation.Next(random.Next(50_000_000, 150_000_000));
            foreach (int thread in threads)
            {
                if (random.Next(3) > 0)
                {
                    Run(observation, random, thread, counters);
                }
            }

            observation.CloseCpus(interruptEach: random.Next(100_000), lostEach: random.Next(4) == 0 ? random.Next(1_000_000) : 0);
            for (int meter = 0; meter < 4; meter++)
            {
                // Slow, missing and unattributable readings happen.
                if (random.Next(5) > 0)
                {
                    long energy = random.Next(0, 20_000_000);
                    metered[meter] += energy;
                    observation.Read(meter, energy, unattributable: random.Next(20) == 0);
                }
            }

            TickAttribution result = attributor.Attribute(observation);
            AssertTickConserved(result);
            ledger.Apply(observation, result);
            AssertLedgerConserved(ledger.Snapshot(), metered);
        }

        foreach (int process in processes)
        {
            observation.ProcessTable[process].Ended = true;
            ledger.Depart(process);
        }

        LedgerSnapshot last = ledger.Snapshot();
        Assert.Empty(last.Consumers);
        AssertLedgerConserved(last, metered);
    }

    private static void Run(Observation observation, Random random, int thread, bool counters)
    {
        observation.Run(thread, [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => (random.Next(16), random.NextInt64(1, 40_000_000), random.NextInt64(1, 100_000)))]);
        if (counters)
        {
            ref ThreadSample sample = ref observation.Threads[observation.Threads.Count - 1];
            sample.Cycles = random.NextInt64(1, 100_000_000);
            sample.Instructions = random.NextInt64(0, 200_000_000);
            sample.LlcMisses = random.NextInt64(0, 1_000_000);
        }
    }

    private static void AssertTickConserved(TickAttribution result)
    {
        for (int meter = 0; meter < result.Meters.Length; meter++)
        {
            MeterShares shares = result.Shares[meter];
            long active = 0, proportional = 0;
            foreach (int process in result.Processes.Items)
            {
                active += result.Active(process, meter);
                proportional += result.Proportional(process, meter);
                Assert.True(result.Active(process, meter) >= 0);
            }

            Assert.Equal(shares.Total, active + shares.SystemActive + shares.UnattributedActive + shares.IdleSeparate);
            Assert.Equal(shares.Total, active + proportional + shares.SystemActive + shares.SystemProportional
                + shares.UnattributedActive + shares.UnattributedProportional + shares.IdleProportional);
            Assert.True(shares.IdleProportional >= 0 && shares.Static <= shares.Total);
        }
    }

    private static void AssertLedgerConserved(LedgerSnapshot snapshot, long[] metered)
    {
        for (int meter = 0; meter < snapshot.Meters.Length; meter++)
        {
            MeterTotals totals = snapshot.Meters[meter];
            Assert.Equal(metered[meter], totals.Total);
            long active = 0, proportional = 0;
            foreach (ConsumerTotals consumer in snapshot.Consumers.Where(c => c.Kind == ConsumerKind.Process))
            {
                active += consumer.Active[meter];
                proportional += consumer.Proportional[meter];
            }

            Assert.Equal(totals.Total, active + totals.SystemActive + totals.UnattributedActive + totals.DepartedActive + totals.IdleSeparate);
            Assert.Equal(
                totals.Total,
                active + proportional + totals.SystemActive + totals.SystemProportional + totals.UnattributedActive
                    + totals.UnattributedProportional + totals.DepartedActive + totals.DepartedProportional + totals.IdleProportional);
        }

        // The same energy by CPU, for the meters that follow runs.
        for (int package = 0; package < 2; package++)
        {
            MeterTotals totals = snapshot.Meters.Single(m => m.Meter.Id == $"package-{package}");
            Assert.Equal(totals.Total, totals.IdleSeparate + snapshot.Cores.Where(c => c.Package == package).Sum(c => c.Microjoules));
        }

        // Each view holds the energy of the processes in it.
        foreach (ConsumerTotals pod in snapshot.Consumers.Where(c => c.Kind == ConsumerKind.Pod))
        {
            Assert.Equal(snapshot.Consumers.Where(c => c.Kind == ConsumerKind.Process && c.PodUid == pod.Id).Sum(c => c.TotalActive), pod.TotalActive);
        }
    }
}
