using Keck.Metering;

namespace Keck.Power.Tests;

public sealed class PerfPowerSourceTests
{
    private const int Power = 26;
    private const int PowerCore = 27;

    [Fact]
    public void Discover_AmdPmus_OpensOneEventPerMaskedCpu()
    {
        using Bench bench = Bench.Over("amd");
        Assert.Equal([(Power, 2UL, 0), (PowerCore, 1UL, 0), (PowerCore, 1UL, 1), (PowerCore, 1UL, 2), (PowerCore, 1UL, 3)], bench.Perf.Opened.Order());
    }

    [Fact]
    public void Sample_CountRose_GivesExactEnergyOverTime()
    {
        using Bench bench = Bench.Over("amd");
        bench.Tick();
        Random random = new(5);
        UInt128 count = 0;
        for (int i = 0; i < 2_000; i++)
        {
            count += (ulong)random.NextInt64(1, 1L << 38);
            bench.Perf.Set(Power, 2, 0, (ulong)count);
            bench.Tick(seconds: 0.1);
        }

        Assert.Equal((long)(count * 1_000_000 >> 32), bench.StateOf("package-0-perf").Total!.Value.Value);
    }

    [Fact]
    public void Sample_PerCoreEvent_NamesTheCore()
    {
        using Bench bench = Bench.Over("amd");
        bench.Perf.Set(PowerCore, 1, 3, 3UL << 32);
        bench.Tick();
        Assert.Equal(3_000_000, bench.SampleOf("core-0-3")!.Value.Microjoules);
        Assert.Equal(3, bench.MeterOf("core-0-3").Core);
    }

    [Fact]
    public void Sample_RaplFilesGone_PerfTakesOver()
    {
        FakeFiles files = new() { Denied = path => path.EndsWith("energy_uj", StringComparison.Ordinal) };
        using Bench bench = Bench.Over("amd", files);
        Assert.Equal(EnergyOrigin.PerfPower, bench.MeterOf("package-0").Origin);
        Assert.True(bench.MeterOf("package-0").Selected);
    }

    [Fact]
    public void Sample_NeverCounts_IsAbsentFromTheNextReading()
    {
        using Bench bench = Bench.Over("amd");
        bench.Tick();
        Assert.Null(bench.SampleOf("package-0-perf"));
        Assert.Equal(Absence.NotPresent, bench.StateOf("package-0-perf").Problem!.Reason);
    }

    [Fact]
    public void Discover_InAVirtualMachine_IsNotBelievedBeforeItMoves()
    {
        FakeFiles files = new() { Denied = path => path.EndsWith("energy_uj", StringComparison.Ordinal) };
        using Bench bench = Bench.OverCopy("amd", files, prepare: tree =>
        {
            string cpuinfo = Path.Combine(tree.Proc, "cpuinfo");
            File.WriteAllText(cpuinfo, File.ReadAllText(cpuinfo).Replace("flags\t\t: ", "flags\t\t: hypervisor ", StringComparison.Ordinal));
        });
        Assert.True(bench.Set.Cpu.Hypervisor);
        Meter perf = bench.Set.Meters.Single(meter => meter is { Domain: EnergyDomain.Package, Package: 0, Origin: EnergyOrigin.PerfPower });
        Assert.Contains("only ever read 0", perf.NotSelectedBecause, StringComparison.Ordinal);
        Assert.Contains(bench.Set.Meters, meter => meter is { Selected: true, Origin: EnergyOrigin.Estimate });
        Assert.Contains("none of which has counted yet", bench.Source("perf").Finding.Found, StringComparison.Ordinal);

        // One that is given does count.
        for (ulong i = 1; i <= 5; i++)
        {
            bench.Perf.Set(Power, 2, 0, i << 32);
            bench.Tick();
        }

        Assert.True(bench.MeterOf(perf.Id).Selected);
    }

    [Fact]
    public void Sample_CpuOffline_IsAbsentNotZero()
    {
        using Bench bench = Bench.Over("amd");
        bench.Perf.Offline(Power, 2, 0);
        bench.Tick();
        Assert.Null(bench.SampleOf("package-0-perf"));
        Assert.Equal(Absence.NotPresent, bench.StateOf("package-0-perf").Problem!.Reason);
    }

    [Fact]
    public void Discover_NotPermitted_SaysWhichCapability()
    {
        using Bench bench = Bench.Over("amd", perf: new FakePerf { Refuse = Absence.NotPermitted });
        SourceFinding finding = bench.Source("perf").Finding;
        Assert.False(finding.Ok);
        Assert.Contains("cap_perfmon", finding.Mends[0], StringComparison.Ordinal);
        Assert.Equal(Absence.NotPermitted, bench.StateOf("package-0-perf").Problem!.Reason);
    }

    [Fact]
    public void Parse_Scale_IsExactForPowersOfTwo()
    {
        PerfScale scale = PerfScale.Parse("2.3283064365386962890625e-10")!.Value;
        Assert.Equal(1_000_000, scale.Microjoules(1UL << 32));
        Assert.Equal(0, scale.Microjoules(4_294));
        Assert.Equal(1, scale.Microjoules(4_295));
        Assert.Equal((long)(((UInt128)ulong.MaxValue * 1_000_000) >> 32), scale.Microjoules(ulong.MaxValue));
        Assert.Equal(61, PerfScale.Parse("6.103515625e-05")!.Value.StepMicrojoules);
        Assert.Equal(1_000_000, PerfScale.Parse("1")!.Value.Microjoules(1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a lot")]
    [InlineData("-1")]
    [InlineData("NaN")]
    [InlineData("1e300")]
    [InlineData("0")]
    public void Parse_ScaleThatIsNone_IsNull(string text) => Assert.Null(PerfScale.Parse(text));
}
