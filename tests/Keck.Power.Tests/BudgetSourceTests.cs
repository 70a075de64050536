using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Power.Tests;

public sealed class BudgetSourceTests : IDisposable
{
    private const long Second = 1_000_000_000;
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("keck-budget-").FullName, "budget");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public void Parse_WhatFormatWrote_IsTheSame()
    {
        HandedBudget budget = Of(7, 5, ("vcpu-0", 1_234_567, 3, 4), ("overhead", 0, 0, 0), ("dram", long.MaxValue, 1, 2));
        HandedBudget read = HandedBudget.Parse(budget.Format())!;
        Assert.Equal((7, 5), (read.WrittenNanoseconds, read.ReachedNanoseconds));
        Assert.Equal(budget.Counters, read.Counters.AsEnumerable());
    }

    [Theory]
    [InlineData("")]
    [InlineData("keck-budget 2\nwritten 1\nreached 1\nvcpu-0 1 0 0\n")]
    [InlineData("keck-budget 1\nwritten 1\n")]
    [InlineData("keck-budget 1\nreached 1\nwritten 1\n")]
    [InlineData("keck-budget 1\nwritten 1\nreached 1\nvcpu-0 1 0\n")]
    [InlineData("keck-budget 1\nwritten 1\nreached 1\nvcpu-0 -1 0 0\n")]
    [InlineData("keck-budget 1\nwritten 1\nreached 1\nvcpu-0 1 0 0\nvcpu-0 2 0 0\n")]
    [InlineData("keck-budget 1\nwritten 1\nreached 1\nvcpu-0 9223372036854775808 0 0\n")]
    public void Parse_AnythingElse_IsNone(string text) => Assert.Null(HandedBudget.Parse(text));

    [Fact]
    public void Meters_MachineWithoutRapl_AreTheBudgetsAndTheEstimateIsNotAddedToThem()
    {
        using Bench bench = Start(("vcpu-0", 5_000, 0, 0), ("vcpu-1", 7_000, 0, 0), ("overhead", 10, 0, 0), ("dram", 20, 0, 0), ("of-tomorrow", 1, 0, 0));
        Assert.Equal(["vcpu-0", "vcpu-1", "overhead", "dram"], bench.Selected);
        Assert.All(bench.Set.Meters.Where(meter => meter.Selected), meter => Assert.Equal((EnergyOrigin.Budget, ReadingQuality.Derived), (meter.Origin, meter.Quality)));
        Assert.Contains(bench.Set.Meters, meter => meter.Origin == EnergyOrigin.Estimate && meter.NotSelectedBecause!.Contains("a budget is of the whole machine", StringComparison.Ordinal));
        Assert.True(bench.Source("budget").Finding.Ok);
    }

    [Fact]
    public void Meters_MachineWithRapl_AreRaplsAndTheBudgetIsShown()
    {
        using Bench bench = Start("two-sockets", ("vcpu-0", 5_000, 0, 0), ("dram", 20, 0, 0));
        Assert.Equal(["package-0", "dram-0", "package-1", "dram-1"], bench.Selected);
        Assert.Contains("a budget is of the whole machine", bench.MeterOf("vcpu-0").NotSelectedBecause, StringComparison.Ordinal);
        Assert.NotNull(bench.MeterOf("dram").NotSelectedBecause);
    }

    [Fact]
    public void Sample_CountersRose_GivesEnergyOnceWithBoundsAndTheTimeThatItReaches()
    {
        using Bench bench = Start(("vcpu-0", 5_000, 100, 200), ("dram", 20, 0, 0));
        bench.Tick();
        Assert.Null(bench.SampleOf("vcpu-0"));
        Write(bench, 3, ("vcpu-0", 9_000, 150, 260), ("dram", 20, 0, 0));
        bench.Tick();
        MeterSample sample = bench.SampleOf("vcpu-0")!.Value;
        Assert.Equal((4_000, 50, 60, false), (sample.Microjoules, sample.Below, sample.Above, sample.Unattributable));
        Assert.Equal(0, bench.SampleOf("dram")!.Value.Microjoules);
        Assert.Equal(3 * Second, sample.ReadNanoseconds);

        // Written again, nothing new: who runs now shares in the next word.
        Write(bench, 3, ("vcpu-0", 9_000, 150, 260), ("dram", 20, 0, 0));
        bench.Tick();
        Assert.Null(bench.SampleOf("vcpu-0"));
        Assert.Contains("vcpu-0", bench.Selected);
    }

    [Fact]
    public void Sample_FileNotWrittenForLong_IsAbsentAndTheEstimateTakesOver()
    {
        using Bench bench = Start(("vcpu-0", 5_000, 0, 0), ("dram", 20, 0, 0));
        bench.Tick();
        for (int i = 0; i < 4; i++)
        {
            bench.Tick(seconds: 12);
        }

        bench.Tick();
        bench.Tick();
        Assert.Equal(Absence.Stale, bench.StateOf("vcpu-0").Problem!.Reason);
        Assert.DoesNotContain("vcpu-0", bench.Selected);
        Assert.Contains(bench.Selected, id => bench.MeterOf(id).Origin == EnergyOrigin.Estimate);

        // It is back, with the energy of the time that has been estimated: that is not counted once more.
        for (int i = 1; i <= 4; i++)
        {
            Write(bench, 100 + i, ("vcpu-0", 60_005_000 + i, 0, 0), ("dram", 20, 0, 0));
            bench.Tick();
        }

        Assert.Contains("vcpu-0", bench.Selected);
        Write(bench, 106, ("vcpu-0", 60_005_500, 0, 0), ("dram", 20, 0, 0));
        bench.Tick();
        Assert.InRange(bench.SampleOf("vcpu-0")!.Value.Microjoules, 1, 600);
    }

    [Fact]
    public void RefreshTopology_BudgetComesLater_TakesTheEstimatesPlace()
    {
        using Bench bench = Bench.Over("vm-flat-zero", options: new PowerOptions { Budget = _path });
        Assert.False(bench.Source("budget").Finding.Ok);
        bench.Tick();
        Write(bench, 1, ("vcpu-0", 1_000_000, 0, 0));
        _ = bench.Set.RefreshTopology();
        bench.Tick();
        bench.Tick();
        Assert.Equal(["vcpu-0"], bench.Selected);

        // And another vCPU.
        Write(bench, 2, ("vcpu-0", 1_000_100, 0, 0), ("vcpu-1", 50, 0, 0));
        _ = bench.Set.RefreshTopology();
        bench.Tick();
        Assert.Equal(100, bench.SampleOf("vcpu-0")!.Value.Microjoules);
        Write(bench, 3, ("vcpu-0", 1_000_100, 0, 0), ("vcpu-1", 80, 0, 0));
        bench.Tick();
        Assert.Equal(30, bench.SampleOf("vcpu-1")!.Value.Microjoules);
        Assert.Equal(["vcpu-0", "vcpu-1"], bench.Selected);
    }

    [Fact]
    public void Resume_AfterARestart_BringsTheDowntimeUnattributable()
    {
        using Bench bench = Start(("vcpu-0", 5_000, 0, 0));
        bench.Tick();
        ImmutableArray<CounterMark> marks = bench.Set.Marks();
        Write(bench, 9, ("vcpu-0", 8_000, 0, 0));
        bench.Set.Resume(marks);
        bench.Tick();
        MeterSample sample = bench.SampleOf("vcpu-0")!.Value;
        Assert.Equal((3_000, true), (sample.Microjoules, sample.Unattributable));
        Write(bench, 10, ("vcpu-0", 8_100, 0, 0));
        bench.Tick();
        sample = bench.SampleOf("vcpu-0")!.Value;
        Assert.Equal((100, false), (sample.Microjoules, sample.Unattributable));
    }

    [Fact]
    public void Sample_CounterWentBack_IsSaidAndInventsNothing()
    {
        using Bench bench = Start(("vcpu-0", 5_000, 0, 0));
        bench.Tick();
        Write(bench, 2, ("vcpu-0", 300, 0, 0));
        bench.Tick();
        Assert.Null(bench.SampleOf("vcpu-0"));
        Assert.Equal(1, bench.StateOf("vcpu-0").Counts.Resets);
        Write(bench, 3, ("vcpu-0", 350, 0, 0));
        bench.Tick();
        Assert.Equal(50, bench.SampleOf("vcpu-0")!.Value.Microjoules);
    }

    private static HandedBudget Of(long written, long reached, params (string, long, long, long)[] counters) => new()
    {
        WrittenNanoseconds = written,
        ReachedNanoseconds = reached,
        Counters = [.. counters.Select(counter => new BudgetCount(counter.Item1, counter.Item2, counter.Item3, counter.Item4))],
    };

    private Bench Start(params (string, long, long, long)[] counters) => Start("vm-flat-zero", counters);

    private Bench Start(string host, params (string, long, long, long)[] counters)
    {
        File.WriteAllText(_path, Of(new FakeTime().Now, Second, counters).Format());
        Bench bench = Bench.Over(host, options: new PowerOptions { Budget = _path });
        bench.Set.Start();
        return bench;
    }

    private void Write(Bench bench, int reachedSeconds, params (string, long, long, long)[] counters) =>
        File.WriteAllText(_path, Of(bench.Time.Now, reachedSeconds * Second, counters).Format());
}
