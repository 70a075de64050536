using System.Text.Json;
using Keck.Metering;
using Keck.Power;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Guest.Tests;

public sealed class BudgetFileTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("keck-budget-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Write_WhatTicksWereGiven_IsThereByCounterAndReachesToTheTick()
    {
        using GuestBench guest = new();
        FakeHost host = new();
        BudgetFile file = BudgetFile.Create(_root, guest.Time, NullLogger.Instance)!;
        guest.Feed.Connected(host.Welcome);
        host.Use([5_000, 7_000], 300, 400);
        guest.Feed.Take(host.Budget());
        guest.Tick();
        file.Write(guest.Feed.Counts.ReachedNanoseconds, guest.Feed.Counts.Counters);
        Assert.False(File.Exists(Where));

        host.Use([10, 20], 30, 40);
        guest.Feed.Take(host.Budget());
        guest.Tick();
        file.Write(guest.Feed.Counts.ReachedNanoseconds, guest.Feed.Counts.Counters);
        HandedBudget read = Read();
        Assert.Equal(
            [("vcpu-0", 10L), ("vcpu-1", 20L), ("overhead", 30L), ("dram", 40L)],
            read.Counters.Select(counter => (counter.Name, counter.Microjoules)));
        Assert.Equal((1, 2), (read.Counters[0].Below, read.Counters[0].Above));
        Assert.Equal(2_000_000_000, read.ReachedNanoseconds);
        Assert.Equal(guest.Time.GetTimestamp(), read.WrittenNanoseconds);

        // A tick without a word of the host: the counters reach no further, the file is fresh all the same, in time.
        guest.Tick();
        file.Write(guest.Feed.Counts.ReachedNanoseconds, guest.Feed.Counts.Counters);
        Assert.Equal(read.WrittenNanoseconds, Read().WrittenNanoseconds);
        guest.Time.Advance(TimeSpan.FromSeconds(6));
        file.Refresh();
        Assert.Equal((2_000_000_000, guest.Time.GetTimestamp()), (Read().ReachedNanoseconds, Read().WrittenNanoseconds));
    }

    [Fact]
    public void Write_AnotherRunWithItsLedger_GoesOnAndNeverBack()
    {
        using GuestBench before = new();
        FakeHost host = new();
        BudgetFile file = BudgetFile.Create(_root, before.Time, NullLogger.Instance)!;
        before.Feed.Connected(host.Welcome);
        host.Use([1_000], 0, 0);
        before.Feed.Take(host.Budget());
        before.Tick();
        host.Use([2_000], 0, 0);
        before.Feed.Take(host.Budget());
        before.Tick();
        JsonElement saved = before.Saved();

        // One more tick is shown and not saved; then it is killed.
        host.Use([500], 0, 0);
        before.Feed.Take(host.Budget());
        before.Tick();
        file.Write(before.Feed.Counts.ReachedNanoseconds, before.Feed.Counts.Counters);
        Assert.Equal(2_500, Read().Counters[0].Microjoules);

        using GuestBench after = GuestBench.Resumed(saved);
        BudgetFile next = BudgetFile.Create(_root, after.Time, NullLogger.Instance)!;
        next.CountFrom(LedgerState.Read(saved, epoch: null).Snapshot());
        after.Feed.Connected(host.Welcome);
        host.Use([70], 0, 0);
        after.Feed.Take(host.Budget());
        after.Tick();
        next.Write(after.Feed.Counts.ReachedNanoseconds, after.Feed.Counts.Counters);
        Assert.Equal(2_570, Read().Counters[0].Microjoules);
    }

    [Theory]
    [InlineData("rubbish\n")]
    [InlineData("keck-budget 1\nwritten 1\nreached 1\nvcpu-0 1 0 0 0\n")]
    public void Create_OverAnythingElse_BeginsAtZero(string content)
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(Where)!);
        File.WriteAllText(Where, content);
        FakeTime time = new();
        BudgetFile.Create(_root, time, NullLogger.Instance)!.Write(5, [new BudgetCount("vcpu-0", 7, 0, 0)]);
        Assert.Equal(7, Read().Counters[0].Microjoules);
    }

    private string Where => Path.Combine(_root, HandedBudget.PathInTree);

    private HandedBudget Read() => HandedBudget.Parse(File.ReadAllText(Where))!;
}
