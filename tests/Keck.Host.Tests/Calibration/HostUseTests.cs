using Keck.Metering;

namespace Keck.Host.Tests;

public sealed class HostUseTests
{
    [Fact]
    public void Ratio_OthersAndItself_CountsOthersOnlyAndNamesThem()
    {
        Observation observation = new() { Topology = new Topology([new CpuPlace(0, 0, 0, 0), new CpuPlace(1, 1, 0, 0)], null) };
        HostUse use = new();
        Assert.Equal(0, use.Ratio);
        observation.Begin(1, 0);
        observation.EndNanoseconds = 100_000_000;
        Run(observation, Environment.ProcessId, "keck-host", cpu: 0, 30_000_000);
        Run(observation, 4711, "nginx", cpu: 1, 40_000_000);
        observation.Cpus.Add() = new CpuSample { Cpu = 0, BusyNanoseconds = 30_000_000 };
        observation.Cpus.Add() = new CpuSample { Cpu = 1, BusyNanoseconds = 40_000_000 };
        use.Add(observation);
        Assert.Equal(0.2, use.Ratio, 6);
        Assert.Equal("nginx (4711) 20 %", use.Busiest());
    }

    private static void Run(Observation observation, int pid, string name, int cpu, long nanoseconds)
    {
        int row = observation.ThreadTable.Add(new ThreadRow { Tid = pid, Pid = pid, Name = name });
        observation.Threads.Add() = new ThreadSample { Row = row, FirstRun = observation.Runs.Count, RunCount = 1 };
        observation.Runs.Add() = new RunSample { Cpu = cpu, Nanoseconds = nanoseconds };
    }
}
