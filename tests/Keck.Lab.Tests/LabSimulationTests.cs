using Keck.Metering;

namespace Keck.Lab.Tests;

public sealed class LabSimulationTests
{
    public static TheoryData<string, string> Cases()
    {
        TheoryData<string, string> cases = [];
        foreach ((int index, string family) in Families.Names.Index())
        {
            // Every family, every scenario, without all of their pairs.
            for (int i = 0; i < 3; i++)
            {
                cases.Add(family, LabScenarios.Names[((index * 2) + (i * 5)) % LabScenarios.Names.Length]);
            }

            cases.Add(family, LabScenarios.Commissioning);
        }

        return cases;
    }

    [Theory]
    [Trait("Speed", "slow")]
    [MemberData(nameof(Cases))]
    public void Advance_EveryTick_PartsAddUpToTheMeters(string family, string scenario)
    {
        LabSimulation simulation = LabSimulation.Create(family, 3, scenario, 3);
        LabMachine machine = simulation.Machine;
        double package = 0, dram = 0, meters = 0, dramMeters = 0;
        while (simulation.Advance())
        {
            package += simulation.StaticPackageMicrojoules + simulation.Truth.Sum(consumer => consumer.PackageMicrojoules);
            dram += simulation.StaticDramMicrojoules + simulation.Truth.Sum(consumer => consumer.DramMicrojoules);
            foreach (MeterSample sample in simulation.Observation.MeterSamples.Items)
            {
                EnergyDomain domain = simulation.Observation.Meters[sample.Meter].Domain;
                meters += domain == EnergyDomain.Package ? sample.Microjoules : 0;
                dramMeters += domain == EnergyDomain.Dram ? sample.Microjoules : 0;
            }

            double whole = Enumerable.Range(0, machine.Packages).Sum(simulation.TruePackage);
            Assert.Equal(whole, package, whole * 1e-9);

            // A counter is a step and an update behind at most: 80 µs until the tick's end, and its own period, at the power limit and half more.
            double behind = machine.Packages * (machine.QuantumMicrojoules + 1 + (machine.PowerLimit * 2 * (machine.UpdateNanoseconds + 80_000) / 1e3));
            Assert.InRange(meters, whole - behind, whole);
            Assert.InRange(dramMeters, dram - behind, dram + 1e-6);
        }
    }

    [Theory]
    [Trait("Speed", "slow")]
    [MemberData(nameof(Cases))]
    public void Advance_EveryTick_RunsAddUpToBusyTime(string family, string scenario)
    {
        LabSimulation simulation = LabSimulation.Create(family, 4, scenario, 2);
        while (simulation.Advance())
        {
            long[] ran = new long[simulation.Machine.Cpus];
            foreach (RunSample run in simulation.Observation.Runs.Items)
            {
                ran[run.Cpu] += run.Nanoseconds;
                Assert.InRange(run.SharedNanoseconds, 0, run.Nanoseconds);
            }

            foreach (CpuSample cpu in simulation.Observation.Cpus.Items)
            {
                Assert.Equal(cpu.BusyNanoseconds, ran[cpu.Cpu]);
                Assert.InRange(cpu.BusyNanoseconds + cpu.InterruptNanoseconds, 0, 100_000_000);
                Assert.Equal(100_000_000, cpu.BusyNanoseconds + cpu.InterruptNanoseconds + cpu.IdleNanoseconds);
            }
        }
    }

    [Theory]
    [InlineData("dual-server", "migrating")]
    [InlineData("arm-server", "no-frequency")]
    public void Write_SameSeed_SameBytes(string family, string scenario)
    {
        (byte[] trace, byte[] truth) = Write(family, 7, scenario);
        (byte[] sameTrace, byte[] sameTruth) = Write(family, 7, scenario);
        Assert.Equal(trace, sameTrace);
        Assert.Equal(truth, sameTruth);
        Assert.NotEqual(trace, Write(family, 8, scenario).Trace);
    }

    [Fact]
    public void Write_ReadBack_ScoresAsInMemory()
    {
        (byte[] trace, byte[] truth) = Write("dual-server", 2, "migrating");
        using MemoryStream figures = new();
        using MemoryStream input = new(trace), again = new(trace), known = new(truth);
        _ = Replay.Run(input, new ReplayOptions(), figures);
        figures.Position = 0;
        AccuracyReport fromFiles = AccuracyScore.Run(figures, known, again);
        AccuracyReport inMemory = LabScore.Of(LabSimulation.Create("dual-server", 2, "migrating", 2), new AttributionOptions());
        Assert.Equal(0, fromFiles.NotConserved);
        Assert.Equal(inMemory.Error!.Value, fromFiles.Error!.Value, 6);
        Assert.Equal(inMemory.WindowError!.Value, fromFiles.WindowError!.Value, 6);
        Assert.Equal(inMemory.Coverage, fromFiles.Coverage);
        Assert.InRange(fromFiles.Error.Value, 0.001, 1);
    }

    [Fact]
    public void Create_Scenarios_ShowWhatTheyPromise()
    {
        Assert.True(Utilisation("never-idle", 1) > 0.97);
        Assert.True(Utilisation("idle-first", 1) < 0.05);
        LabSimulation blind = LabSimulation.Create("desktop", 1, "no-frequency", 1);
        LabSimulation partly = LabSimulation.Create("dual-server", 1, "missing-counters", 1);
        Assert.True(blind.Advance() && partly.Advance());
        Assert.All(blind.Observation.Threads.Items.ToArray(), thread => Assert.Equal((-1, -1, -1), (thread.Instructions, thread.Cycles, thread.LlcMisses)));
        Assert.All(blind.Observation.Runs.Items.ToArray(), run => Assert.Equal(-1, run.KiloCycles));
        Assert.Contains(partly.Observation.Threads.Items.ToArray(), thread => thread.Instructions < 0);
        Assert.Contains(partly.Observation.Threads.Items.ToArray(), thread => thread.Instructions > 0);
    }

    [Fact]
    public void Names_EveryFamilyAndScenario_IsDescribed()
    {
        Assert.All(Families.Names, family => Assert.NotEmpty(Families.Describe(family)));
        Assert.All(LabScenarios.Names, scenario => Assert.NotEmpty(LabScenarios.Describe(scenario)));
        Assert.Throws<ArgumentException>(() => Families.Create("none", 1));
        Assert.Throws<ArgumentException>(() => LabSimulation.Create("desktop", 1, "none", 1));
    }

    [Theory]
    [InlineData("kepler")]
    [InlineData("scaphandre")]
    [InlineData("seed")]
    public void Peer_AnyTick_IsConserved(string formula)
    {
        AccuracyReport report = LabScore.Of(LabSimulation.Create("dual-server", 5, "mixed", 2), LabScore.Peer(formula))[0];
        Assert.Equal(0, report.NotConserved);
        Assert.Null(report.Coverage);
    }

    private static double Utilisation(string scenario, double seconds)
    {
        LabSimulation simulation = LabSimulation.Create("dual-server", 1, scenario, seconds);
        double busy = 0, all = 0;
        while (simulation.Advance())
        {
            busy += simulation.Observation.Cpus.Items.ToArray().Sum(cpu => (double)(cpu.BusyNanoseconds + cpu.InterruptNanoseconds));
            all += simulation.Observation.Cpus.Count * 1e8;
        }

        return busy / all;
    }

    private static (byte[] Trace, byte[] Truth) Write(string family, int seed, string scenario)
    {
        LabSimulation simulation = LabSimulation.Create(family, seed, scenario, 2);
        using MemoryStream trace = new(), truth = new();
        using TraceWriter writer = new(trace, simulation.Header);
        using TruthWriter known = new(truth);
        while (simulation.Advance())
        {
            writer.Write(simulation.Observation);
            known.Write(simulation);
        }

        return (trace.ToArray(), truth.ToArray());
    }
}
