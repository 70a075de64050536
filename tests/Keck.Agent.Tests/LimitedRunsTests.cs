using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class LimitedRunsTests
{
    [Theory]
    [InlineData(null, 100, 50, 7, 900)]
    [InlineData(ModelKind.FullModel, 100, 50, 7, 900)]
    [InlineData(ModelKind.FrequencyWeighted, -1, 50, -1, 900)]
    [InlineData(ModelKind.CpuTimeRatio, -1, -1, -1, -1)]
    public void Drain_Limit_HidesWhatTheModelDoesNotUse(ModelKind? limit, long instructions, long cycles, long misses, long kiloCycles)
    {
        Observation observation = new();
        new LimitedRuns(new OneThread()) { Limit = limit }.Drain(observation);
        ThreadSample thread = observation.Threads[0];
        Assert.Equal((instructions, cycles, misses), (thread.Instructions, thread.Cycles, thread.LlcMisses));
        Assert.Equal((kiloCycles, 10), (observation.Runs[0].KiloCycles, observation.Runs[0].Nanoseconds));
    }

    private sealed class OneThread : IRunSource
    {
        public string Name => "fake";

        public void Drain(Observation into)
        {
            into.Threads.Add() = new ThreadSample { RunCount = 1, Instructions = 100, Cycles = 50, LlcMisses = 7 };
            into.Runs.Add() = new RunSample { Nanoseconds = 10, KiloCycles = 900 };
        }
    }
}
