namespace Keck.Metering.Tests;

public sealed class TraceWriterTests
{
    [Fact]
    public void Write_TickWithAGapBefore_Throws()
    {
        TraceScenario scenario = new(1);
        using TraceWriter writer = new(Stream.Null, scenario.Header());
        scenario.Next();
        writer.Write(scenario.Observation);
        scenario.Next();
        scenario.Next();
        _ = Assert.Throws<ArgumentException>(() => writer.Write(scenario.Observation));
    }

    [Fact]
    public void Write_SameTickShapeOnceWarm_AllocatesNothing()
    {
        TraceScenario scenario = new(1);
        scenario.Next();
        using TraceWriter writer = new(Stream.Null, scenario.Header());
        using ReplayWriter replay = new(Stream.Null);
        Attributor attributor = new();
        long Once(long tick)
        {
            long start = scenario.Observation.EndNanoseconds;
            CpuSample[] cpus = scenario.Observation.Cpus.Items.ToArray();
            ThreadSample[] threads = scenario.Observation.Threads.Items.ToArray();
            RunSample[] runs = scenario.Observation.Runs.Items.ToArray();
            scenario.Observation.Begin(tick, start);
            scenario.Observation.EndNanoseconds = start + 1000;
            foreach (CpuSample cpu in cpus)
            {
                scenario.Observation.Cpus.Add() = cpu;
            }

            foreach (ThreadSample thread in threads)
            {
                scenario.Observation.Threads.Add() = thread;
            }

            foreach (RunSample run in runs)
            {
                scenario.Observation.Runs.Add() = run;
            }

            scenario.Observation.MeterSamples.Add() = new MeterSample { Meter = 0, Microjoules = 5000, Milliwatts = Unobserved.Value };
            TickAttribution result = attributor.Attribute(scenario.Observation);
            long before = GC.GetAllocatedBytesForCurrentThread();
            writer.Write(scenario.Observation);
            replay.Write(scenario.Observation, result, IdlePolicy.Proportional);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        for (int i = 0; i < 50; i++)
        {
            _ = Once(10 + i);
        }

        Assert.InRange(Once(100), 0, 256);
    }
}
