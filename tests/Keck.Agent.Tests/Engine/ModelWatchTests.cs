using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class ModelWatchTests
{
    private static readonly AgentProfile Full = AgentProfile.Of(ProfileKind.Full), Standard = AgentProfile.Of(ProfileKind.Standard);

    [Theory]
    [InlineData(CounterState.Multiplexed, "counters for 0 % of the run time, 90 % are needed: others use the CPUs' counters too (multiplexed), so that what is counted is not known")]
    [InlineData(CounterState.Counted, "counters for 0 % of the run time, 90 % are needed: some threads have no counts")]
    [InlineData(CounterState.None, "counters for 0 % of the run time, 90 % are needed: the CPUs' counters cannot be had here")]
    public void Reason_NoCounters_SaysWhy(CounterState counters, string reason) =>
        Assert.Equal(reason, Watch(Ran(kiloCycles: 2_400_000)).Reason(ModelKind.FullModel, new RunSourceFacts("ebpf") { Counters = counters }, Full));

    [Fact]
    public void Reason_NothingKnown_SaysBothAndOnlyWhatIsAllowed()
    {
        ModelWatch watch = Watch(Ran());
        RunSourceFacts runs = new("schedstat");
        Assert.Equal(
            "counters for 0 % of the run time, 90 % are needed: the run source schedstat has none; frequencies for 0 % of the run time, 90 % are needed: the CPUs' speed is not known for the rest",
            watch.Reason(ModelKind.FullModel, runs, Full));
        Assert.StartsWith("frequencies for 0 %", watch.Reason(ModelKind.FrequencyWeighted, runs, Standard), StringComparison.Ordinal);
        Assert.Null(watch.Reason(ModelKind.CpuTimeRatio, runs, Standard));

        // A machine profile would take counters, too; the profile of the agent reads none.
        Assert.Contains("profile standard asks for none", watch.Reason(ModelKind.Calibrated, new RunSourceFacts("ebpf"), Standard), StringComparison.Ordinal);
    }

    [Fact]
    public void Reason_NothingMissing_IsNone() =>
        Assert.Null(Watch(Ran(2_400_000, counted: true)).Reason(ModelKind.FullModel, new RunSourceFacts("ebpf") { Counters = CounterState.Counted }, Full));

    [Fact]
    public void Reason_NothingRan_IsTheLastTicksWithRuns()
    {
        Observation observation = Ran(), idle = new() { Topology = observation.Topology };
        ModelWatch watch = new();
        RunSourceFacts runs = new("schedstat");
        Attributor attributor = new();
        watch.OnTick(idle, attributor.Attribute(idle));
        Assert.Null(watch.Reason(ModelKind.FullModel, runs, Full));
        watch.OnTick(observation, attributor.Attribute(observation));
        Assert.NotNull(watch.Reason(ModelKind.FullModel, runs, Full));
        watch.OnTick(idle, attributor.Attribute(idle));
        Assert.NotNull(watch.Reason(ModelKind.FullModel, runs, Full));
    }

    private static ModelWatch Watch(Observation observation)
    {
        ModelWatch watch = new();
        watch.OnTick(observation, new Attributor().Attribute(observation));
        return watch;
    }

    // A thread that ran for a second.
    private static Observation Ran(long kiloCycles = Unobserved.Value, bool counted = false)
    {
        Observation observation = new() { Topology = new Topology([new CpuPlace(0, 0, 0, 0)], null) };
        int process = observation.ProcessTable.FindOrAdd(7, 1, "p", kernel: false);
        int thread = observation.ThreadTable.Add(new ThreadRow { Tid = 7, Pid = 7, StartNanoseconds = 1, Name = "t" });
        observation.ThreadTable[thread].Process = process;
        observation.Begin(1, 0);
        observation.EndNanoseconds = 1_000_000_000;
        ref ThreadSample sample = ref observation.Threads.Add();
        (sample.Row, sample.FirstRun, sample.RunCount) = (thread, 0, 1);
        (sample.Instructions, sample.Cycles, sample.LlcMisses) = counted ? (1_000, 1_000, 10) : (Unobserved.Value, Unobserved.Value, Unobserved.Value);
        observation.Runs.Add() = new RunSample { Cpu = 0, Nanoseconds = 1_000_000_000, KiloCycles = kiloCycles };
        return observation;
    }
}
