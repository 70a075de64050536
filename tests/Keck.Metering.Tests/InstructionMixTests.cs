namespace Keck.Metering.Tests;

/// <summary>
/// Two kinds of work that no linear model of counters can tell apart: what has fewer instructions, at the same clock and with the same
/// misses, draws more. A package of 4 CPUs, 20 W static.
/// </summary>
public sealed class InstructionMixTests
{
    private const double StaticWatts = 20;
    private const long TickNanoseconds = 250_000_000;
    private const double Gigahertz = 3;
    private static readonly Work Light = new(Watts: 5, Ipc: 2, MissesPerKiloInstruction: 0.2);
    private static readonly Work Heavy = new(Watts: 8, Ipc: 1, MissesPerKiloInstruction: 0.2);

    private readonly Observation _observation = new()
    {
        Meters = [new Meter { Id = "package-0", Domain = EnergyDomain.Package, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true }],
        Topology = new Topology(Enumerable.Range(0, 4).Select(cpu => new CpuPlace(cpu, cpu, 0, 0)), null),
    };

    [Fact]
    public void Fit_KindsThatCountAlike_WhatEachCostsIsFound()
    {
        MachineProfile profile = Profile();
        Assert.Equal(2, profile.Mixes.Length);
        InstructionMix light = profile.Mixes.MaxBy(mix => mix.InstructionsPerCycle), heavy = profile.Mixes.MinBy(mix => mix.InstructionsPerCycle);
        Assert.Equal(2, light.InstructionsPerCycle, 0.01);
        Assert.Equal(0.2, light.MissesPerKiloInstruction, 0.01);
        Assert.True(heavy.EnergyFactor > light.EnergyFactor);
        Assert.InRange(profile.Model(PowerNeeds.Counters)!.Residual, 0, 0.02);
    }

    [Fact]
    public void Attribute_BothAtOnce_EachHasItsOwnPower()
    {
        Attributor attributor = new(new AttributionOptions { Profile = Profile(), Signatures = false });
        Tick(Light, 2, Heavy, 2);
        TickAttribution result = attributor.Attribute(_observation);
        double light = result.Active(0)[0], heavy = result.Active(1)[0];
        Assert.Equal(Light.Watts / Heavy.Watts, light / heavy, 0.03);
    }

    [Fact]
    public void Factors_WorkBetweenTwoKinds_LieBetweenTheirs_AndBeyondThemAsTheNearest()
    {
        MixTable table = new([new InstructionMix(2, 0.2, 0.5, 1), new InstructionMix(1, 0.2, 1.5, 3)]);
        Assert.Equal(0.5, table.Factors(Counts(2)).Energy, 0.05);
        Assert.Equal(3, table.Factors(Counts(1)).Memory, 0.1);
        Assert.InRange(table.Factors(Counts(1.41)).Energy, 0.8, 1.2);
        Assert.InRange(table.Factors(Counts(7)).Energy, 0.5, 0.75);
        Assert.InRange(table.Factors(Counts(0.0001)).Energy, 0.75, 1.5);

        // What is a little slower than a kind that is known is known; what is far from all of them is not.
        Assert.Equal(0, table.Factors(Counts(1.9)).Novelty);
        Assert.Equal(1, table.Factors(Counts(7)).Novelty);
    }

    [Theory]
    [InlineData(Unobserved.Value, 1_000_000, 10)]
    [InlineData(1_000_000, Unobserved.Value, 10)]
    [InlineData(1_000_000, 1_000_000, Unobserved.Value)]
    [InlineData(1_000_000, 0, 10)]
    [InlineData(MixPlace.LeastInstructions - 1, 100, 10)]
    public void Factors_CountsThatSayNothing_AreOne(long instructions, long cycles, long misses)
    {
        MixTable table = new([new InstructionMix(2, 0.2, 0.5, 0.5)]);
        Assert.Equal((1, 1, 0), table.Factors(new ThreadSample { Instructions = instructions, Cycles = cycles, LlcMisses = misses }));
    }

    private static ThreadSample Counts(double ipc) => new() { Instructions = (long)(ipc * 1e9), Cycles = 1_000_000_000, LlcMisses = (long)(ipc * 0.2 * 1e6) };

    private MachineProfile Profile()
    {
        Calibrator calibrator = new("host", null, null);
        foreach ((int light, int heavy, int ticks) in (ReadOnlySpan<(int, int, int)>)[(0, 0, 12), (1, 0, 8), (2, 0, 8), (4, 0, 8), (0, 1, 8), (0, 2, 8), (0, 4, 8), (0, 0, 4)])
        {
            for (int i = 0; i < ticks; i++)
            {
                Tick(Light, light, Heavy, heavy);
                calibrator.Add(_observation);
            }
        }

        return calibrator.Fit();
    }

    private void Tick(Work first, int firstCpus, Work second, int secondCpus)
    {
        if (_observation.ThreadTable.Count == 0)
        {
            _ = _observation.Thread(100, _observation.Process(10));
            _ = _observation.Thread(110, _observation.Process(11));
        }

        _observation.Begin(_observation.Tick + 1, _observation.EndNanoseconds);
        _observation.EndNanoseconds += TickNanoseconds;
        Run(0, first, 0, firstCpus);
        Run(1, second, firstCpus, secondCpus);
        for (int cpu = 0; cpu < 4; cpu++)
        {
            bool busy = cpu < firstCpus + secondCpus;
            _observation.Cpus.Add() = new CpuSample { Cpu = cpu, BusyNanoseconds = busy ? TickNanoseconds : 0, IdleNanoseconds = busy ? 0 : TickNanoseconds, KiloHertz = Unobserved.Value };
        }

        double watts = StaticWatts + (first.Watts * firstCpus) + (second.Watts * secondCpus);
        _observation.MeterSamples.Add() = new MeterSample
        {
            Meter = 0,
            Microjoules = (long)(watts * TickNanoseconds / 1e3),
            Milliwatts = Unobserved.Value,
            ReadNanoseconds = _observation.EndNanoseconds,
        };
    }

    private void Run(int row, Work work, int firstCpu, int cpus)
    {
        double cycles = cpus * TickNanoseconds * Gigahertz, instructions = cycles * work.Ipc;
        _observation.Threads.Add() = new ThreadSample
        {
            Row = row,
            FirstRun = _observation.Runs.Count,
            RunCount = cpus,
            Instructions = (long)instructions,
            Cycles = (long)cycles,
            LlcMisses = (long)(instructions * work.MissesPerKiloInstruction / 1e3),
        };
        for (int cpu = firstCpu; cpu < firstCpu + cpus; cpu++)
        {
            _observation.Runs.Add() = new RunSample { Cpu = cpu, Nanoseconds = TickNanoseconds, KiloCycles = (long)(TickNanoseconds * Gigahertz / 1e3) };
        }
    }

    private readonly record struct Work(double Watts, double Ipc, double MissesPerKiloInstruction);
}
