using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Power.Tests;

public sealed class EstimateTests
{
    private static readonly ImmutableArray<EstimateRow> Table = EstimateTable.Load();

    private static readonly CpuIdentity Rome =
        new() { Vendor = "AuthenticAMD", Family = 23, Model = 49, Stepping = 0, Name = "AMD EPYC 7282 16-Core Processor" };

    [Fact]
    public void Load_TableOfTheAssembly_EveryRowIsSaneAndSourced()
    {
        Assert.Equal(11, Table.Length);
        Assert.All(Table, row =>
        {
            Assert.True(0 < row.Idle.Low && row.Idle.Low <= row.Idle.Median && row.Idle.Median <= row.Idle.High, row.Generation);
            Assert.True(row.Idle.Median < row.Full.Median && row.Full.Low <= row.Full.Median && row.Full.Median <= row.Full.High, row.Generation);
            Assert.NotEmpty(row.Source);
            Assert.NotEmpty(row.Cpus);
            Assert.True(row.Results > 0 && row.Date.Year >= 2026, row.Generation);
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("some,other,header")]
    [InlineData(EstimateTable.Header + "\nGenuineIntel,too,few")]
    [InlineData(EstimateTable.Header + "\nv,g,2017,2019,x,1,2,3,4,5,6,6/1,s,2026-01-01")]
    public void Parse_MalformedTable_Throws(string text) => Assert.ThrowsAny<FormatException>(() => EstimateTable.Parse(text));

    [Theory]
    [InlineData("GenuineIntel", 6, 45, 7, "Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz", "Sandy Bridge")]
    [InlineData("GenuineIntel", 6, 85, 4, "Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz", "Skylake-SP")]
    [InlineData("GenuineIntel", 6, 85, 7, "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", "Cascade Lake")]
    [InlineData("GenuineIntel", 6, 85, 11, "Intel(R) Xeon(R) Platinum 8380H CPU @ 2.90GHz", "Ice Lake and Cooper Lake")]
    [InlineData("GenuineIntel", 6, 106, 6, "Intel(R) Xeon(R) Gold 5318N CPU @ 2.10GHz", "Ice Lake and Cooper Lake")]
    [InlineData("AuthenticAMD", 23, 1, 2, "AMD EPYC 7351 16-Core Processor", "Naples")]
    [InlineData("AuthenticAMD", 25, 1, 1, "AMD EPYC 7313 16-Core Processor", "Milan")]
    public void For_KnownGeneration_TakesItsRow(string vendor, int family, int model, int stepping, string name, string generation)
    {
        CpuIdentity cpu = new() { Vendor = vendor, Family = family, Model = model, Stepping = stepping, Name = name };
        Assert.Contains(generation, EstimateBasis.For(cpu, Table).Words, StringComparison.Ordinal);
    }

    [Fact]
    public void For_Rome_TakesMediansAndWidensTheUpperBoundByAThird()
    {
        EstimateBasis basis = EstimateBasis.For(Rome, Table);
        Assert.Equal(440_000, basis.IdleMicrowatts);
        Assert.Equal(1_670_000, basis.FullMicrowatts);
        Assert.Equal(0.30 / 0.44, basis.LowFactor, 1e-12);
        Assert.Equal(0.78 / 0.44 * 4 / 3, basis.HighFactor, 1e-12);
    }

    [Theory]
    [InlineData("AMD EPYC")]
    [InlineData("AMD EPYC-Rome Processor")]
    [InlineData("QEMU Virtual CPU version 2.5+")]
    public void For_MaskedInAVirtualMachine_TakesTheVendorsWidestRangeAndSaysSo(string name)
    {
        EstimateBasis basis = EstimateBasis.For(Rome with { Name = name, Hypervisor = true }, Table);
        Assert.Contains("all rows of AuthenticAMD", basis.Words, StringComparison.Ordinal);
        Assert.Contains(name, basis.Words, StringComparison.Ordinal);
        Assert.Contains("not its host", basis.Words, StringComparison.Ordinal);
        Assert.True(basis.HighFactor > EstimateBasis.For(Rome, Table).HighFactor);
        Assert.True(basis.HighFactor * basis.IdleMicrowatts >= 1.61e6 * 4 / 3 - 1);
    }

    [Fact]
    public void For_NewerThanTheTable_TakesTheVendorsWidestRange() =>
        Assert.Contains(
            "family 25 model 17 stepping 1 is in no row",
            EstimateBasis.For(Rome with { Family = 25, Model = 17, Stepping = 1, Name = "AMD EPYC 9354 32-Core Processor" }, Table).Words,
            StringComparison.Ordinal);

    [Fact]
    public void For_UnknownVendor_IsWiderThanAllRowsSince2017()
    {
        EstimateBasis basis = EstimateBasis.For(new CpuIdentity(), Table);
        Assert.Contains("since 2017", basis.Words, StringComparison.Ordinal);
        Assert.True(basis.LowFactor * basis.IdleMicrowatts <= 0.30e6 / 2 + 1);
        Assert.True(basis.HighFactor * basis.IdleMicrowatts >= 1.83e6 * 4 / 3 * 2 - 1);
    }

    [Fact]
    public void Sample_IdleAndFull_AreThreadsTimesTheCoefficients()
    {
        EstimateModel idle = new(EstimateBasis.For(Rome, Table), memoryKibibytes: 0);
        Assert.Equal((new(1_760_000), Microjoules.Zero), idle.Sample(4, new(1_000_000_000), new(0)));
        EstimateModel full = new(EstimateBasis.For(Rome, Table), memoryKibibytes: 0);
        Assert.Equal((new(6_680_000), Microjoules.Zero), full.Sample(4, new(1_000_000_000), new(4_000_000_000)));
    }

    [Fact]
    public void Sample_MoreBusyThanThereIsTime_IsCut()
    {
        EstimateModel model = new(EstimateBasis.For(Rome, Table), memoryKibibytes: 0);
        Assert.Equal(6_680_000, model.Sample(4, new(1_000_000_000), new(long.MaxValue)).Package.Value);
    }

    [Fact]
    public void Sample_Memory_IsSplitOffNotAddedAndCapped()
    {
        EstimateModel small = new(EstimateBasis.For(Rome, Table), memoryKibibytes: 2 * 1024 * 1024);
        (Microjoules rest, Microjoules dram) = small.Sample(4, new(1_000_000_000), new(4_000_000_000));
        Assert.Equal((5_980_000, 700_000), (rest.Value, dram.Value));
        EstimateModel large = new(EstimateBasis.For(Rome, Table), memoryKibibytes: 1024L * 1024 * 1024);
        Assert.Equal((new(5_010_000), new(1_670_000)), large.Sample(4, new(1_000_000_000), new(4_000_000_000)));
    }

    [Fact]
    public void Sample_ManyOddTicks_AddUpToOneLongTick()
    {
        EstimateBasis basis = EstimateBasis.For(Rome, Table);
        EstimateModel ticks = new(basis, memoryKibibytes: 1024 * 1024);
        EstimateModel once = new(basis, memoryKibibytes: 1024 * 1024);
        Random random = new(3);
        long time = 0;
        long busy = 0;
        (long Package, long Dram) sum = (0, 0);
        for (int i = 0; i < 5_000; i++)
        {
            long span = random.NextInt64(1, 100_000_000);
            long worked = random.NextInt64(0, 8 * span);
            (Microjoules package, Microjoules dram) = ticks.Sample(8, new(span), new(worked));
            sum = (sum.Package + package.Value, sum.Dram + dram.Value);
            time += span;
            busy += worked;
        }

        (Microjoules wholePackage, Microjoules wholeDram) = once.Sample(8, new(time), new(busy));
        Assert.Equal((wholePackage.Value, wholeDram.Value), sum);
    }

    [Fact]
    public void Read_TwoPackages_PlatformIsTheirSum()
    {
        using Bench bench = Bench.Over("two-sockets");
        bench.Tick(seconds: 1, busy: 0);
        long platform = bench.SampleOf("platform")!.Value.Microjoules;
        string[] parts = ["package-0-estimate", "dram-0-estimate", "package-1-estimate", "dram-1-estimate"];
        Assert.Equal(platform, parts.Sum(id => bench.SampleOf(id)!.Value.Microjoules));
        Assert.Equal(16 * 820_000, platform);
    }

    [Fact]
    public void Read_OnePackageBusy_OnlyItsMeterRises()
    {
        using Bench bench = Bench.Over("two-sockets");
        bench.Tick(seconds: 1, busy: 0);
        long idle = bench.SampleOf("package-1-estimate")!.Value.Microjoules;
        bench.Time.Advance(1);
        bench.Observation.Begin(2, bench.Observation.EndNanoseconds);
        bench.Observation.EndNanoseconds = bench.Time.Now;
        ref CpuSample cpu = ref bench.Observation.Cpus.Add();
        cpu.Cpu = 0;
        cpu.BusyNanoseconds = 600_000_000;
        cpu.InterruptNanoseconds = 400_000_000;
        bench.Set.Sample(bench.Observation);
        Assert.Equal(idle, bench.SampleOf("package-1-estimate")!.Value.Microjoules);
        long whole = bench.SampleOf("package-0-estimate")!.Value.Microjoules + bench.SampleOf("dram-0-estimate")!.Value.Microjoules;
        Assert.Equal(8 * 820_000 + (4_490_000 - 820_000), whole);
    }

    [Fact]
    public void Read_CpuTimeUnknown_IsAbsentNotIdle()
    {
        using Bench bench = Bench.Over("vm-flat-zero");

        // The first is the run source's starting point, and nothing to warn of.
        Tick(1);
        Assert.Null(bench.StateOf("platform").Problem);
        Tick(2);
        Assert.Equal(Absence.Stale, bench.StateOf("platform").Problem!.Reason);

        void Tick(int tick)
        {
            bench.Observation.Begin(tick, bench.Time.Now);
            bench.Time.Advance(1);
            bench.Observation.EndNanoseconds = bench.Time.Now;
            bench.Set.Sample(bench.Observation);
            Assert.Null(bench.SampleOf("platform"));
        }
    }

    [Fact]
    public void Read_CpuUnplugged_DrawsNoIdlePowerAnyMore()
    {
        using Bench bench = Bench.OverCopy("vm-flat-zero");
        bench.Tick(seconds: 1, busy: 0);
        long both = bench.SampleOf("platform")!.Value.Microjoules;
        bench.Tree.WriteSys("devices/system/cpu/online", "0");
        Assert.True(bench.Set.RefreshTopology());
        bench.Observation.Topology = bench.Set.Topology;
        bench.Tick(seconds: 1, busy: 0);
        Assert.Equal(both / 2, bench.SampleOf("platform")!.Value.Microjoules);
    }

    [Fact]
    public void Discover_SwitchedOff_LeavesNoMeterAndSaysSo()
    {
        using Bench bench = Bench.Over("vm-flat-zero", options: new PowerOptions { Estimate = false });
        Assert.Empty(bench.Selected);
        Assert.Contains(bench.Logged, entry => entry.Id == 1007);
    }
}
