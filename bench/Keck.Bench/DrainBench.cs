using System.Diagnostics;
using System.Globalization;
using Keck.Bpf;
using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bench;

/// <summary>A whole tick from the kernel's records to the ledger, of 100,000 slots that all changed, beside the plain LINQ version of the same.</summary>
internal static class DrainBench
{
    private const int WarmUpTicks = 30;
    private const int Ticks = 31;
    private const int PlainWarmUpTicks = 3;
    private const int PlainTicks = 7;
    private const int Processes = 5_000;

    internal static void Run(TextWriter output, int threads)
    {
        var host = new SyntheticHost(threads, Processes);
        Topology topology = host.Observation.Topology;
        using var memory = new MadeUpMemory(topology.CpuLimit, 131_072);
        var drain = new SlotDrain(memory);
        bool[] online = new bool[topology.CpuLimit];
        Array.Fill(online, true);
        var observation = new Observation { Topology = topology, Meters = host.Observation.Meters };
        host.AddProcesses(observation.ProcessTable);
        while (memory.Threads < threads)
        {
            // The ring holds a part of the slots; each drain fills it again.
            memory.Start(threads);
            drain.Prime(online, observation);
        }

        var attributor = new Attributor(new AttributionOptions { Model = ModelKind.FullModel, Signatures = false });
        var ledger = new EnergyLedger(Guid.NewGuid());
        var plainDrain = new PlainDrain();
        var plain = new PlainAttribution(attributor.Options);
        List<double> plainTimes = [], drained = [], attributed = [], whole = [];
        for (int tick = 0; tick < PlainWarmUpTicks + PlainTicks; tick++)
        {
            _ = Tick(tick);
            double plainTime = PlainTime();
            if (tick >= PlainWarmUpTicks)
            {
                plainTimes.Add(plainTime);
            }
        }

        PlainCheck.AssertEqual(observation, ledger, plain);
        (plain, plainDrain) = (null!, null!);
        GC.Collect();
        long allocated = 0;
        for (int tick = 0; tick < WarmUpTicks + Ticks; tick++)
        {
            (double first, double second, double all, long used) = Tick(PlainWarmUpTicks + PlainTicks + tick);
            if (tick >= WarmUpTicks)
            {
                drained.Add(first);
                attributed.Add(second);
                whole.Add(all);
                allocated = Math.Max(allocated, used);
            }
        }

        double ours = Median(whole), theirs = Median(plainTimes);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            ## Drain, attribution and ledger

            One tick from the kernel's records to the ledger: 100,000 threads of 5,000 processes as records made up in memory, every slot changed,
            {observation.Runs.Count:N0} runs with counters: `SlotDrain.Drain`, `Attributor.Attribute` and `EnergyLedger.Apply`, timed together, beside the same in plain
            LINQ and dictionaries, drain included. Both ledgers are compared as above. Medians of {Ticks} ticks; the range is the fastest and slowest.

            | | median | range | LINQ | ratio | allocated per tick |
            |---|---|---|---|---|---|
            | drain | {Median(drained):F1} ms | {drained.Min():F1}–{drained.Max():F1} ms | | | |
            | drain + attribution (goal ≤ 10 ms) | **{Median(attributed):F1} ms** | {attributed.Min():F1}–{attributed.Max():F1} ms | | | |
            | drain + attribution + ledger (goal: ratio ≥ 10) | **{ours:F1} ms** | {whole.Min():F1}–{whole.Max():F1} ms | {theirs:F0} ms | {theirs / ours:F0} × | {allocated} B |

            """));

        // What the meters said and the clocks' frequencies come from elsewhere; they are put in between, untimed.
        (double Drain, double Attributed, double Whole, long Allocated) Tick(int tick)
        {
            host.Next();
            memory.Run(host.Observation);
            observation.Begin(tick + 1, observation.EndNanoseconds);
            long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            drain.Drain(observation, online, []);
            double first = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            long used = GC.GetAllocatedBytesForCurrentThread() - before;
            if (observation.Threads.Count != threads || observation.Runs.Count != host.Observation.Runs.Count)
            {
                throw new UnreachableException($"{observation.Threads.Count} threads and {observation.Runs.Count} runs drained");
            }

            host.Complete(observation);
            before = GC.GetAllocatedBytesForCurrentThread();
            start = Stopwatch.GetTimestamp();
            TickAttribution result = attributor.Attribute(observation);
            double second = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            ledger.Apply(observation, result);
            double third = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            return (first, first + second, first + third, used + GC.GetAllocatedBytesForCurrentThread() - before);
        }

        double PlainTime()
        {
            Dictionary<uint, int> rowOf = [];
            foreach (ref ThreadSample thread in observation.Threads.Items)
            {
                rowOf.Add((uint)observation.ThreadTable[thread.Row].Tid, thread.Row);
            }

            var arrays = new PlainTick(observation);
            SlotRecord[] slots = memory.Slots.ToArray();
            MetaRecord[] metas = memory.Metas.ToArray();
            CounterRecord[] counters = memory.Counters.ToArray();
            long start = Stopwatch.GetTimestamp();
            (ThreadSample[] ran, RunSample[] runs) = plainDrain.Drain(slots, metas, counters, rowOf);
            plain.Tick(arrays.With(ran, runs));
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
