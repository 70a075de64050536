using Keck.Metering;

namespace Keck.Lab.Tests;

/// <summary>What calibration and signatures are worth, on machines that no constant was chosen by (seeds from 101 on).</summary>
[Trait("Speed", "slow")]
public sealed class LearningTests
{
    private static readonly string[] Scenarios = ["mixed", "bursty", "migrating"];

    [Fact]
    public void Signatures_OverAllFamilies_BringTheErrorDownAndConserve()
    {
        (double without, double with, _) = Errors(calibrated: false);
        Assert.True(with < without * 0.95, $"{with:P1} with signatures, {without:P1} without");
    }

    [Fact]
    public void Adaptive_OverAllFamilies_IsNearerThanFullModel()
    {
        List<double> full = [], adaptive = [];
        foreach (string family in Families.Names)
        {
            foreach (string scenario in Scenarios)
            {
                AccuracyReport[] reports = LabScore.Of(
                    LabSimulation.Create(family, 102, scenario, 30, idleSeconds: 1.5),
                    LabScore.Product(new AttributionOptions { Model = ModelKind.FullModel }),
                    LabScore.Product(new AttributionOptions()));
                Assert.All(reports, report => Assert.Equal(0, report.NotConserved));
                full.Add(reports[0].MachineError!.Value);
                adaptive.Add(reports[1].MachineError!.Value);
            }
        }

        Assert.True(adaptive.Average() < full.Average() * 0.8, $"{adaptive.Average():P1} adaptive, {full.Average():P1} by the formula");
    }

    [Theory]
    [InlineData("dual-server", false)]
    [InlineData("arm-server", false)]
    [InlineData("desktop", true)]
    public void Replay_RecordedWhileItLearned_IsTheSameByteForByte(string family, bool calibrated)
    {
        MachineProfile? profile = calibrated ? MachineProfileFile.Read(MachineProfileFile.Write(Profile(family, 103))) : null;
        LabSimulation simulation = LabSimulation.Create(family, 103, "mixed", 8, idleSeconds: 1.5);
        Attributor attributor = new(new AttributionOptions { Profile = profile });
        for (int tick = 0; tick < 45; tick++)
        {
            Assert.True(simulation.Advance());
            _ = attributor.Attribute(simulation.Observation);
        }

        using MemoryStream trace = new(), live = new(), replayed = new();
        TraceHeader header = simulation.Header with { InitialState = new TraceInitialState(attributor.Options, IdlePolicy.Separate, attributor.State) { Calibration = profile?.Hash } };
        using (TraceWriter writer = new(trace, header))
        using (ReplayWriter figures = new(live))
        {
            while (simulation.Advance())
            {
                figures.Write(simulation.Observation, attributor.Attribute(simulation.Observation), IdlePolicy.Separate);
                writer.Write(simulation.Observation);
            }
        }

        _ = Replay.Run(new MemoryStream(trace.ToArray()), new ReplayOptions { Profile = profile }, replayed);
        string expected = System.Text.Encoding.UTF8.GetString(live.ToArray());
        Assert.Contains(calibrated ? "\"model\":\"calibrated\"" : "\"model\":\"adaptive\"", expected, StringComparison.Ordinal);
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(replayed.ToArray()));
    }

    [Fact]
    public void Calibration_OverAllFamilies_BringsTheErrorDownAndItsBoundsHold()
    {
        (_, double plain, _) = Errors(calibrated: false);
        (_, double calibrated, double coverage) = Errors(calibrated: true);
        Assert.True(calibrated < plain * 0.6, $"{calibrated:P1} calibrated, {plain:P1} not");
        Assert.InRange(coverage, 0.93, 1);
    }

    [Theory]
    [InlineData("dual-server")]
    [InlineData("arm-server")]
    public void Fit_CommissioningRun_FindsTheStaticPower(string family)
    {
        MachineProfile profile = Profile(family, 101);
        LabSimulation simulation = LabSimulation.Create(family, 101, "idle-first", 1);
        double watts = 0;
        long length = 0;
        while (simulation.Advance())
        {
            watts += simulation.StaticPackageMicrojoules;
            length += simulation.Observation.Length.Nanoseconds;
        }

        watts = watts / length * 1e3;
        Assert.Equal(watts, profile.Static.Where(pair => pair.Key.StartsWith("package", StringComparison.Ordinal)).Sum(pair => pair.Value.Watts), watts * 0.03);
        Assert.All(profile.Models, model => Assert.All(model.Coefficients, coefficient => Assert.True(coefficient >= 0)));
    }

    [Fact]
    public void Fit_NeverIdle_SaysWhatIsMissing()
    {
        LabSimulation busy = LabSimulation.Create("desktop", 101, "never-idle", 5);
        Calibrator calibrator = new("lab", null, null);
        while (busy.Advance())
        {
            calibrator.Add(busy.Observation);
        }

        Assert.Contains("idle", Assert.Throws<CalibrationException>(() => calibrator.Fit()).Message, StringComparison.Ordinal);
    }

    private static MachineProfile Profile(string family, int seed)
    {
        LabSimulation commissioning = LabSimulation.Create(family, seed, LabScenarios.Commissioning, 60);
        Calibrator calibrator = new("lab", null, commissioning.Header.Cpu);
        while (commissioning.Advance())
        {
            calibrator.Add(commissioning.Observation);
        }

        return calibrator.Fit();
    }

    private static (double Without, double With, double Coverage) Errors(bool calibrated)
    {
        List<double> without = [], with = [], coverage = [];
        foreach (string family in Families.Names)
        {
            MachineProfile? profile = calibrated ? Profile(family, 101) : null;
            foreach (string scenario in Scenarios)
            {
                AccuracyReport[] reports = LabScore.Of(
                    LabSimulation.Create(family, 101, scenario, 30, idleSeconds: 1.5),
                    LabScore.Product(new AttributionOptions { Profile = profile, Signatures = false }),
                    LabScore.Product(new AttributionOptions { Profile = profile }));
                Assert.All(reports, report => Assert.Equal(0, report.NotConserved));
                without.Add(reports[0].MachineError!.Value);
                with.Add(reports[1].MachineError!.Value);
                coverage.Add(reports[1].Coverage!.Value);
            }
        }

        return (without.Average(), with.Average(), coverage.Average());
    }
}
