using System.Diagnostics;
using System.Globalization;
using Keck.Metering;

namespace Keck.Bench;

/// <summary>Attribution and ledger of one tick of 100,000 threads on 128 CPUs, beside the plain LINQ version of the same.</summary>
internal static class AttributionBench
{
    internal const int ThreadCount = 100_000;
    private const int WarmUpTicks = 30;
    private const int Ticks = 31;
    private const int PlainWarmUpTicks = 3;
    private const int PlainTicks = 7;

    /// <summary>Prints the table.</summary>
    internal static void Run(TextWriter output)
    {
        output.WriteLine("""
            ## Attribution and ledger

            One tick of 100,000 threads that all ran, on 128 CPUs (2 packages, SMT), full model with counters, 2 package and 2 memory meters:
            `Attributor.Attribute` + `EnergyLedger.Apply`, beside the same calculation in plain LINQ and dictionaries. After ten ticks both
            ledgers are compared (meters, consumers, CPUs, and the threads of 500 processes: to the microjoule) before a figure is printed. Medians; the range is the fastest and slowest tick.

            | case | runs | attribute | ledger | together | range | LINQ | ratio | allocated per tick |
            |---|---|---|---|---|---|---|---|---|
            """);
        Row(output, "5,000 processes of 20 threads", 5_000);
        Row(output, "100,000 processes of one thread", 100_000);
        output.WriteLine();
        WriteLearning(output, 4_000, 1_000);
        WriteLearning(output, ThreadCount, 5_000);
        output.WriteLine();
    }

    // What the adaptive model and learning cost a tick, against one formula; the largest processes have factors of their own.
    private static void WriteLearning(TextWriter output, int threads, int processes)
    {
        var host = new SyntheticHost(threads, processes);
        Attributor without = new(new AttributionOptions { Model = ModelKind.FullModel, Signatures = false }), with = new(new AttributionOptions());
        List<double> plain = [], learned = [];
        for (int tick = 0; tick < WarmUpTicks + Ticks; tick++)
        {
            host.Next();
            long start = Stopwatch.GetTimestamp();
            _ = without.Attribute(host.Observation);
            double first = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            start = Stopwatch.GetTimestamp();
            _ = with.Attribute(host.Observation);
            double second = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (tick >= WarmUpTicks)
            {
                plain.Add(first);
                learned.Add(second);
            }
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Learning (adaptive model, signatures), {processes:N0} processes of {threads / processes} threads, 4 meters: attribution takes {Median(learned):F2} ms, {Median(plain):F2} ms by `full` without signatures (medians of {Ticks} ticks)."));
    }

    private static void Row(TextWriter output, string name, int processes)
    {
        var host = new SyntheticHost(ThreadCount, processes);
        // The plain version learns nothing and knows one formula: what both do is compared.
        var attributor = new Attributor(new AttributionOptions { Model = ModelKind.FullModel, Signatures = false });
        var ledger = new EnergyLedger(Guid.NewGuid());
        var plain = new PlainAttribution(attributor.Options);
        var attribute = new List<double>();
        var together = new List<double>();
        var plainTimes = new List<double>();
        long allocated = 0;

        // The plain version keeps up from the first tick, so that the cumulative figures can be compared.
        for (int tick = 0; tick < PlainWarmUpTicks + PlainTicks; tick++)
        {
            host.Next();
            ledger.Apply(host.Observation, attributor.Attribute(host.Observation));
            var plainTick = new PlainTick(host.Observation);
            long start = Stopwatch.GetTimestamp();
            plain.Tick(plainTick);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (tick >= PlainWarmUpTicks)
            {
                plainTimes.Add(elapsed);
            }
        }

        PlainCheck.AssertEqual(host.Observation, ledger, plain);
        plain = null;
        GC.Collect();
        for (int tick = 0; tick < WarmUpTicks + Ticks; tick++)
        {
            host.Next();
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            TickAttribution result = attributor.Attribute(host.Observation);
            double attributed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            ledger.Apply(host.Observation, result);
            double booked = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (tick >= WarmUpTicks)
            {
                allocated = Math.Max(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
                attribute.Add(attributed);
                together.Add(booked);
            }
        }

        double ours = Median(together), theirs = Median(plainTimes);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {host.Observation.Runs.Count:N0} | {Median(attribute):F1} ms | {ours - Median(attribute):F1} ms | **{ours:F1} ms** | {together.Min():F1}–{together.Max():F1} ms | {theirs:F0} ms | {theirs / ours:F0} × | {allocated} B |"));
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
