using Keck.Metering;

namespace Keck.Power.Tests;

public sealed class HwmonSourceTests
{
    [Fact]
    public void Poll_Gauge_GivesItsPowerInTheNextTickOnly()
    {
        using Bench bench = Bench.Over("hwmon-sentinels");
        bench.Tick();
        Assert.Null(bench.SampleOf("platform"));
        bench.Set.Poll(bench.Source("hwmon"));
        bench.Tick();
        MeterSample sample = bench.SampleOf("platform")!.Value;
        Assert.Equal(182_000, sample.Milliwatts);
        Assert.Equal(Unobserved.Value, sample.Microjoules);
        bench.Tick();
        Assert.Null(bench.SampleOf("platform"));
    }

    [Theory]
    [InlineData("platform-hwmon")]
    [InlineData("platform-hwmon-2")]
    [InlineData("platform-hwmon-3")]
    [InlineData("platform-hwmon-4")]
    [InlineData("package-0-hwmon")]
    [InlineData("package-0-hwmon-2")]
    public void Poll_ValueThatCannotBeTrue_IsRefused(string id)
    {
        using Bench bench = Bench.Over("hwmon-sentinels");
        bench.Set.Poll(bench.Source("hwmon"));
        bench.Tick();
        Assert.Null(bench.SampleOf(id));
        Assert.Equal(Absence.Malformed, bench.StateOf(id).Problem!.Reason);
        Assert.Equal(1, bench.StateOf(id).Counts.Refused);
        Assert.False(bench.MeterOf(id).Selected);
    }

    [Fact]
    public void Poll_EnergyInput_CountsBetweenPolls()
    {
        using Bench bench = Bench.OverCopy("amd");
        bench.Tick();
        bench.Tree.WriteSys("class/hwmon/hwmon0/energy5_input", "51234000900");
        bench.Set.Poll(bench.Source("hwmon"));
        bench.Tick();
        Assert.Equal(900, bench.SampleOf("package-0-hwmon")!.Value.Microjoules);
    }

    [Fact]
    public void Sample_SourceHangs_ItsMetersGoStaleAndTheOthersGoOn()
    {
        using Bench bench = Bench.OverCopy("amd");
        bench.Set.Poll(bench.Source("hwmon"));
        for (int i = 0; i < 31; i++)
        {
            bench.Tick(seconds: 1, busy: 0);
        }

        Assert.Equal(Absence.Stale, bench.StateOf("package-0-hwmon").Problem!.Reason);
        Assert.NotNull(bench.SampleOf("package-0"));
    }

    [Fact]
    public void Discover_OnlyAGaugeOfThePackage_IsPreferredToTheEstimate()
    {
        using Bench bench = Bench.OverCopy("hwmon-sentinels", prepare: tree => tree.WriteSys("class/hwmon/hwmon7/power1_input", "65000000"));
        Meter meter = bench.Set.Meters.Single(one => one is { Selected: true, Domain: EnergyDomain.Package });
        Assert.Equal(EnergyOrigin.Hwmon, meter.Origin);
        Assert.Equal(ReadingQuality.Derived, meter.Quality);
    }

    [Fact]
    public void Poll_SelectedGaugeFails_TheEstimateTakesOver()
    {
        using Bench bench = Bench.OverCopy("hwmon-sentinels");
        bench.Tick();
        Assert.Equal(["platform"], bench.Selected);
        bench.Tree.RemoveSys("class/hwmon/hwmon0");
        bench.Set.Poll(bench.Source("hwmon"));
        bench.Tick();
        Assert.Equal(["package-0", "dram-0"], bench.Selected);
        Assert.Equal(ReadingQuality.Measured, bench.MeterOf("platform").Quality);
    }
}
