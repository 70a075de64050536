using System.Diagnostics;
using System.Globalization;
using Keck.Bpf;
using Keck.Metering;

namespace Keck.Bench;

/// <summary>The drain of 100,000 slots that all changed, from records made up in memory.</summary>
internal static class DrainBench
{
    private const int WarmUpTicks = 30;
    private const int Ticks = 31;

    internal static void Run(TextWriter output, int threads, double attributionAndLedger)
    {
        var host = new SyntheticHost(threads, 5_000);
        using var memory = new MadeUpMemory(host.Observation.Topology.CpuLimit, 131_072);
        var drain = new SlotDrain(memory);
        bool[] online = new bool[host.Observation.Topology.CpuLimit];
        Array.Fill(online, true);
        var observation = new Observation { Topology = host.Observation.Topology };
        while (memory.Threads < threads)
        {
            // The ring holds a part of the slots; each drain fills it again.
            memory.Start(threads);
            drain.Prime(online, observation);
        }

        var times = new List<double>();
        long allocated = 0;
        for (int tick = 0; tick < WarmUpTicks + Ticks; tick++)
        {
            host.Next();
            memory.Run(host.Observation);
            observation.Begin(tick + 1, observation.EndNanoseconds);
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            drain.Drain(observation, online, []);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            long used = GC.GetAllocatedBytesForCurrentThread() - before;
            if (observation.Threads.Count != threads || observation.Runs.Count != host.Observation.Runs.Count)
            {
                throw new UnreachableException($"{observation.Threads.Count} threads and {observation.Runs.Count} runs drained");
            }

            if (tick >= WarmUpTicks)
            {
                times.Add(elapsed);
                allocated = Math.Max(allocated, used);
            }
        }

        double median = times.Order().ElementAt(times.Count / 2);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            ## Drain

            The same 100,000 threads as kernel records made up in memory (`SlotDrain.Drain`, {observation.Runs.Count:N0} runs, every slot changed):

            | | median | range | allocated per tick |
            |---|---|---|---|
            | drain | {median:F1} ms | {times.Min():F1}–{times.Max():F1} ms | {allocated} B |
            | drain + attribution + ledger (5,000 processes) | **{median + attributionAndLedger:F1} ms** | goal ≤ 10 ms | |

            """));
    }
}
