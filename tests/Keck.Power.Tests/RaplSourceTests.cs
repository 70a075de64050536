using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Power.Tests;

public sealed class RaplSourceTests
{
    private const string Package0 = "class/powercap/intel-rapl:0/energy_uj";

    [Fact]
    public void Sample_CounterRose_GivesEnergyAndStamp()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.WriteSys(Package0, "104907600000");
        bench.Tick();
        MeterSample sample = bench.SampleOf("package-0")!.Value;
        Assert.Equal(50_000_000, sample.Microjoules);
        Assert.Equal(Unobserved.Value, sample.Milliwatts);
        Assert.Equal(bench.Time.Now, sample.ReadNanoseconds);
        Assert.False(sample.Unattributable);
        Assert.Equal(100_000, bench.StateOf("package-0").Milliwatts);
    }

    [Fact]
    public void Sample_CounterWrapped_CountsAcrossTheWrap()
    {
        using Bench bench = Bench.OverCopy("wrapped");
        bench.Tick();
        bench.Tree.WriteSys(Package0, "500");
        bench.Tree.WriteSys("class/powercap/intel-rapl:1/energy_uj", "1");
        bench.Tick();
        Assert.Equal(1_500, bench.SampleOf("package-0")!.Value.Microjoules);
        Assert.Equal(60_000_001, bench.SampleOf("package-1")!.Value.Microjoules);
        Assert.Equal(1, bench.StateOf("package-0").Counts.Wraps);
    }

    [Fact]
    public void Sample_CounterReset_DiscardsTheTickSaysItAndGoesOn()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.WriteSys(Package0, "1000");
        bench.Tick();
        Assert.Null(bench.SampleOf("package-0"));
        Assert.Equal(Absence.Malformed, bench.StateOf("package-0").Problem!.Reason);
        Assert.Contains(bench.Logged, entry => entry.Id == 1003 && entry.Text.Contains("went back", StringComparison.Ordinal));
        bench.Tree.WriteSys(Package0, "26000");
        bench.Tick();
        Assert.Equal(25_000, bench.SampleOf("package-0")!.Value.Microjoules);
        Assert.Equal(1, bench.StateOf("package-0").Counts.Resets);
        Assert.True(bench.MeterOf("package-0").Selected);
    }

    [Fact]
    public void Sample_AllOnesOnce_IsRefusedAndLosesNothing()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.WriteSys(Package0, "18446744073709551615");
        bench.Tick();
        Assert.Null(bench.SampleOf("package-0"));
        bench.Tree.WriteSys(Package0, "104857603000");
        bench.Tick();
        Assert.Equal(3_000, bench.SampleOf("package-0")!.Value.Microjoules);
        Assert.Equal(1, bench.StateOf("package-0").Counts.Refused);
    }

    [Fact]
    public void Resume_AfterARestart_BringsTheDowntimeUnattributable()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        ImmutableArray<CounterMark> marks = bench.Set.Marks();
        bench.Tree.WriteSys(Package0, "104857700000");
        bench.Time.Advance(20);
        bench.Set.Resume(marks);
        bench.Tick();
        MeterSample sample = bench.SampleOf("package-0")!.Value;
        Assert.Equal((100_000, true), (sample.Microjoules, sample.Unattributable));
        bench.Tree.WriteSys(Package0, "104857801000");
        bench.Tick();
        sample = bench.SampleOf("package-0")!.Value;
        Assert.Equal((101_000, false), (sample.Microjoules, sample.Unattributable));
    }

    [Fact]
    public void Resume_AfterALongDowntime_IsAGapAndSaid()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        ImmutableArray<CounterMark> marks = bench.Set.Marks();
        bench.Time.Advance(10_000);
        bench.Set.Resume(marks);
        bench.Tick();
        Assert.Null(bench.SampleOf("package-0"));
        Assert.Equal(1, bench.StateOf("package-0").Counts.Gaps);
    }

    [Fact]
    public void Resume_MarkFromTheFutureOrOfAnotherCounter_StartsHere()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Set.Resume([new CounterMark("class/powercap/intel-rapl:0", 5, long.MaxValue / 2), new CounterMark("class/powercap/none", 5, 5)]);
        bench.Tick();
        MeterSample sample = bench.SampleOf("package-0")!.Value;
        Assert.Equal((0, false), (sample.Microjoules, sample.Unattributable));
    }

    [Fact]
    public void Sample_NotReadForLong_IsExactAndOwnedByNobody()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.WriteSys(Package0, "104957600000");
        bench.Tick(seconds: 70);
        MeterSample sample = bench.SampleOf("package-0")!.Value;
        Assert.Equal(100_000_000, sample.Microjoules);
        Assert.True(sample.Unattributable);
    }

    [Fact]
    public void Sample_NotReadForSoLongThatItMayHaveWrapped_IsAbsentAndSaid()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.WriteSys(Package0, "104957600000");
        bench.Tick(seconds: 140);
        Assert.Null(bench.SampleOf("package-0"));
        Assert.Equal(1, bench.StateOf("package-0").Counts.Gaps);
        Assert.Equal(Absence.Stale, bench.StateOf("package-0").Problem!.Reason);
    }

    [Fact]
    public void Sample_CounterStandsWhileCpusWork_IsSaidAndAnotherMeterTakesOver()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        for (int i = 0; i < 30; i++)
        {
            bench.Tick(busy: 0.9);
        }

        Assert.Equal(Absence.Stale, bench.StateOf("package-0").Problem!.Reason);
        Assert.Contains("package-0-estimate", bench.Selected);
        bench.Tree.WriteSys(Package0, "104858600000");
        bench.Tick();
        MeterSample catchUp = bench.SampleOf("package-0")!.Value;
        Assert.Equal(1_000_000, catchUp.Microjoules);
        Assert.True(catchUp.Unattributable);
    }

    [Fact]
    public void Sample_CounterStandsWhileCpusIdle_IsNotSaid()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        for (int i = 0; i < 30; i++)
        {
            bench.Tick(busy: 0);
        }

        Assert.Null(bench.StateOf("package-0").Problem);
    }

    [Fact]
    public void Sample_ZoneVanishes_SwitchesToTheTwinAndBackWhenItReturns()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.RemoveSys("class/powercap/intel-rapl:0");
        bench.Tick();
        Assert.Equal(Absence.NotPresent, bench.StateOf("package-0").Problem!.Reason);
        Assert.Contains("package-0-rapl", bench.Selected);
        Assert.DoesNotContain("package-0", bench.Selected);
        bench.Tree.WriteSys(Package0, "104857600500");
        for (int i = 0; i < 4; i++)
        {
            bench.Tick();
        }

        Assert.Contains("package-0", bench.Selected);
        Assert.DoesNotContain("package-0-rapl", bench.Selected);
        Assert.Equal(2, bench.StateOf("package-0").Counts.Switches);
        Assert.Equal(1, bench.Logged.Count(entry => entry.Id == 1003 && entry.Text.StartsWith("Meter package-0 ", StringComparison.Ordinal)));
        Assert.Equal(1, bench.Logged.Count(entry => entry.Id == 1001 && entry.Text.StartsWith("Meter package-0-rapl ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Discover_FilesNotPermitted_SaysSoAndWhatMendsIt()
    {
        FakeFiles files = new() { Denied = path => path.EndsWith("energy_uj", StringComparison.Ordinal) };
        using Bench bench = Bench.Over("two-sockets", files);
        bench.Tick();
        Assert.Equal(["package-0", "dram-0", "package-1", "dram-1"], bench.Selected);
        Assert.All(bench.Set.Meters.Where(meter => meter.Selected), meter => Assert.Equal(EnergyOrigin.Estimate, meter.Origin));
        Assert.Equal(Absence.NotPermitted, bench.StateOf("package-0-rapl").Problem!.Reason);
        SourceFinding finding = PowerDoctor.Examine(bench.Set).Single(one => one.Name == "rapl");
        Assert.False(finding.Ok);
        Assert.Contains("CAP_DAC_READ_SEARCH", finding.Needs, StringComparison.Ordinal);
        Assert.Contains("tmpfiles", finding.Mends[0], StringComparison.Ordinal);
        Assert.Contains("cap_dac_read_search", finding.Mends[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Sample_PermissionIsGivenLater_RaplTakesOver()
    {
        bool denied = true;
        FakeFiles files = new() { Denied = path => denied && path.EndsWith("energy_uj", StringComparison.Ordinal) };
        using Bench bench = Bench.OverCopy("two-sockets", files);
        bench.Tick();
        denied = false;
        for (int i = 0; i < 6; i++)
        {
            bench.Tick();
        }

        Assert.Equal(EnergyOrigin.Rapl, bench.Set.Meters.Single(meter => meter is { Selected: true, Domain: EnergyDomain.Package, Package: 0 }).Origin);
    }

    [Fact]
    public void Sample_FlatZeroStartsToCount_IsTrustedAfterSomeReadings()
    {
        using Bench bench = Bench.OverCopy("vm-flat-zero");
        bench.Tick();
        Assert.Null(bench.SampleOf("package-0-rapl"));
        Assert.Contains("package-0", bench.Selected);
        for (int i = 1; i < 8; i++)
        {
            bench.Tree.WriteSys(Package0, $"{i * 1_000_000}");
            bench.Tick();
        }

        Assert.Contains("package-0-rapl", bench.Selected);
        Assert.DoesNotContain("package-0", bench.Selected);
    }

    [Fact]
    public void Sample_RangeMissingAndCounterWentBack_IsResetNotWrap()
    {
        using Bench bench = Bench.OverCopy("two-sockets", prepare: tree => tree.RemoveSys("class/powercap/intel-rapl:0/max_energy_range_uj"));
        bench.Tick();
        bench.Tree.WriteSys(Package0, "5");
        bench.Tick();
        Assert.Equal(1, bench.StateOf("package-0").Counts.Resets);
        Assert.Equal(0, bench.StateOf("package-0").Counts.Wraps);
        Assert.Null(bench.MeterOf("package-0").Quantum);
    }

    [Theory]
    [InlineData("")]
    [InlineData("rubbish")]
    [InlineData("-5")]
    public void Sample_GarbageMidRun_IsAbsentForThatTickOnly(string text)
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.WriteSys(Package0, text);
        bench.Tick();
        Assert.Null(bench.SampleOf("package-0"));
        bench.Tree.WriteSys(Package0, "104857600007");
        bench.Tick();
        Assert.Equal(7, bench.SampleOf("package-0")!.Value.Microjoules);
    }

    [Theory]
    [InlineData(262143328850, 61)]
    [InlineData(65712999613, 15)]
    [InlineData(65532610987, 15)]
    public void QuantumOf_KernelsRanges_IsTheRegistersStep(long range, long microjoules) =>
        Assert.Equal(new Microjoules(microjoules), RaplSource.QuantumOf(range));

    [Fact]
    public void QuantumOf_AnotherRange_IsUnknown()
    {
        Assert.Null(RaplSource.QuantumOf(1_000));
        Assert.Null(RaplSource.QuantumOf(null));
    }
}
