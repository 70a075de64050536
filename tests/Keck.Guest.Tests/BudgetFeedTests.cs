using System.Text.Json;
using Keck.Metering;

namespace Keck.Guest.Tests;

public sealed class BudgetFeedTests
{
    private const int Seed = 2026;

    [Fact]
    public void Sample_MessagesLostAtRandom_EveryMicrojouleOfTheBudgetIsOwnedOnce()
    {
        var random = new Random(Seed);
        using GuestBench guest = new();
        FakeHost host = new();
        host.Use([5_000, 7_000], 300, 400);
        guest.Feed.Connected(host.Welcome);
        guest.Feed.Take(host.Budget());
        long baseline = host.Total;
        guest.Tick();
        for (int i = 0; i < 300; i++)
        {
            // The third vCPU first runs in the middle.
            host.Use(i < 100 ? [random.Next(1_000_000), random.Next(9)] : [random.Next(9), 0, random.Next(1_000_000)], random.Next(1_000), random.Next(50_000));
            if (random.Next(3) > 0)
            {
                guest.Feed.Take(host.Budget());
            }

            guest.Tick();
        }

        guest.Feed.Take(host.Budget());
        guest.Tick();

        Assert.Equal(host.Total - baseline, guest.Budgeted);
        Assert.Equal(0, guest.Unattributed);
        LedgerSnapshot ledger = guest.Engine.Ledger();
        foreach (MeterTotals meter in ledger.Meters.Where(meter => meter.Meter.Origin == EnergyOrigin.Budget))
        {
            int index = ledger.Meters.IndexOf(meter);
            long active = ledger.Consumers.Where(c => c.Kind == ConsumerKind.Process).Sum(c => c.Active[index]);
            Assert.Equal(meter.Total, active + meter.SystemActive + meter.UnattributedActive + meter.DepartedActive + meter.Overhead + meter.IdleSeparate);
        }
    }

    [Fact]
    public void Sample_OverARestart_WhatTheHostCountedMeanwhileIsUnattributed()
    {
        using GuestBench before = new();
        FakeHost host = new();
        before.Feed.Connected(host.Welcome);
        host.Use([1_000, 1_000], 10, 10);
        before.Feed.Take(host.Budget());
        before.Tick();
        host.Use([2_000, 2_000], 20, 20);
        before.Feed.Take(host.Budget());
        before.Tick();
        long known = before.Budgeted;
        JsonElement saved = before.Saved();

        // Killed: three more budgets pass it by; then it is back.
        host.Use([30_000, 0], 300, 3_000);
        _ = host.Budget();
        using GuestBench after = GuestBench.Resumed(saved);
        after.Tick();
        Assert.Equal(known, after.Budgeted);
        after.Feed.Connected(host.Welcome);
        after.Feed.Take(host.Budget());
        after.Tick();
        Assert.Equal((known + 33_300, 33_300), (after.Budgeted, after.Unattributed));

        host.Use([400, 0], 0, 0);
        after.Feed.Take(host.Budget());
        after.Tick();
        Assert.Equal((known + 33_700, 33_300), (after.Budgeted, after.Unattributed));
        Assert.Equal(host.Total - 2_020, after.Budgeted);
    }

    [Fact]
    public void Sample_AnotherEpoch_CountsFromItsFirstBudget()
    {
        using GuestBench guest = new();
        FakeHost first = new();
        guest.Feed.Connected(first.Welcome);
        first.Use([1_000], 0, 0);
        guest.Feed.Take(first.Budget());
        guest.Tick();
        first.Use([50], 0, 0);
        guest.Feed.Take(first.Budget());
        guest.Tick();

        FakeHost second = new();
        second.Use([900_000], 7, 7);
        guest.Feed.Connected(second.Welcome);
        guest.Feed.Take(second.Budget());
        guest.Tick();
        Assert.Equal(50, guest.Budgeted);
        second.Use([3], 0, 0);
        guest.Feed.Take(second.Budget());
        guest.Tick();

        Assert.Equal(53, guest.Budgeted);
        Assert.Contains(7002, guest.Logged);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Connected_ToAnotherHostAndBack_GoesOnAndCountsNothingTwice(bool restarted)
    {
        GuestBench guest = new();
        FakeHost first = new(), second = new();
        void Hear(FakeHost host, long vcpu, long overhead)
        {
            host.Use([vcpu], overhead, 0);
            guest.Feed.Take(host.Budget());
            guest.Tick();
        }

        guest.Feed.Connected(first.Welcome);
        Hear(first, 1_000, 10);
        Hear(first, 200, 20);
        Assert.Equal((220, 0), (guest.Budgeted, guest.Unattributed));

        // Moves: the first host counts its part of the way after its last word, the second has counted before its first.
        first.Use([7], 5_000, 0);
        second.Use([90_000], 9_000, 0);
        guest.Feed.Connected(second.Welcome);
        Hear(second, 0, 0);
        Hear(second, 40, 4);
        Assert.Equal((264, 0), (guest.Budgeted, guest.Unattributed));
        if (restarted)
        {
            JsonElement saved = guest.Saved();
            guest.Dispose();
            guest = GuestBench.Resumed(saved);
            guest.Feed.Connected(second.Welcome);
        }

        // And back, with a vCPU more, that was plugged in there: what the first had counted after its last word is now owned, by nobody's runs.
        guest.Feed.Connected(first.Welcome);
        first.Use([0, 600], 0, 0);
        Hear(first, 0, 0);
        Assert.Equal((264 + 5_007 + 600, 5_007 + 600), (guest.Budgeted, guest.Unattributed));
        Hear(first, 3, 0);
        Assert.Equal(264 + 5_007 + 600 + 3, guest.Budgeted);
        Assert.Equal(first.Total - 1_010 + 44, guest.Budgeted);
        Assert.Contains(7005, guest.Logged);

        // The second again: its counters too go on.
        guest.Feed.Connected(second.Welcome);
        Hear(second, 1, 0);
        Assert.Equal(first.Total - 1_010 + second.Total - 99_000, guest.Budgeted);
        guest.Dispose();
    }

    [Fact]
    public void Connected_BackAfterAnEstimate_CountsFromTheFirstBudget()
    {
        using GuestBench guest = new();
        FakeHost first = new(), second = new();
        guest.Feed.Connected(first.Welcome);
        first.Use([1_000], 0, 0);
        guest.Feed.Take(first.Budget());
        guest.Tick();
        guest.Feed.Connected(second.Welcome);
        guest.Feed.Take(second.Budget());
        guest.Time.Advance(BudgetFeed.GiveUp);
        guest.Tick();

        // It was estimated, whichever host had it: neither's counters are added to that.
        first.Use([50_000], 0, 0);
        guest.Feed.Connected(first.Welcome);
        guest.Feed.Take(first.Budget());
        guest.Tick();
        Assert.Equal(0, guest.Budgeted);
    }

    [Fact]
    public void Connected_ToAnotherHostBeforeATick_KeepsWhatTheFirstHasTold()
    {
        using GuestBench guest = new();
        FakeHost first = new(), second = new();
        guest.Feed.Connected(first.Welcome);
        guest.Feed.Take(first.Budget());
        guest.Tick();
        first.Use([70], 0, 0);
        guest.Feed.Take(first.Budget());
        guest.Feed.Connected(second.Welcome);
        second.Use([900], 0, 0);
        guest.Feed.Take(second.Budget());
        guest.Tick();
        Assert.Equal(70, guest.Budgeted);
    }

    [Fact]
    public void Take_CounterGoesBackWithinItsEpoch_IsSaidAndInventsNothing()
    {
        using GuestBench guest = new();
        FakeHost host = new();
        guest.Feed.Connected(host.Welcome);
        host.Use([1_000], 0, 0);
        guest.Feed.Take(host.Budget());
        guest.Tick();
        host.Use([-400], 0, 0);
        guest.Feed.Take(host.Budget());
        guest.Tick();
        host.Use([70], 0, 0);
        guest.Feed.Take(host.Budget());
        guest.Tick();

        Assert.Equal(70, guest.Budgeted);
        Assert.Contains(7003, guest.Logged);
    }

    [Fact]
    public void Sample_NoHost_IsAnEstimateAndSaysSo()
    {
        using GuestBench guest = new();
        guest.Tick();
        guest.Tick();

        LedgerSnapshot ledger = guest.Engine.Ledger();
        Assert.All(ledger.Meters, meter => Assert.Equal(EnergyOrigin.Estimate, meter.Meter.Origin));
        Assert.True(ledger.Meters.Sum(meter => meter.Total) > 0);
        Assert.False(guest.Feed.InUse);
    }

    [Fact]
    public void Sample_HostSilentForLong_IsEstimatedAndNotCountedTwiceWhenItIsBack()
    {
        using GuestBench guest = new();
        FakeHost host = new();
        guest.Feed.Connected(host.Welcome);
        host.Use([1_000], 0, 0);
        guest.Feed.Take(host.Budget());
        guest.Tick();
        guest.Time.Advance(BudgetFeed.GiveUp);
        guest.Tick();
        Assert.False(guest.Feed.InUse);
        Assert.Contains(7004, guest.Logged);
        Assert.True(guest.Engine.Ledger().Meters.Any(meter => meter.Meter.Origin == EnergyOrigin.Estimate && meter.Total > 0));

        // What the host counted while the machine was estimated is not added to the estimate.
        host.Use([9_000_000], 0, 0);
        guest.Feed.Take(host.Budget());
        guest.Tick();
        host.Use([30], 0, 0);
        guest.Feed.Take(host.Budget());
        guest.Tick();

        Assert.True(guest.Feed.InUse);
        Assert.Equal(30, guest.Budgeted);
    }

    [Fact]
    public void Take_BoundsOfTheBudget_ReachTheConsumers()
    {
        using GuestBench guest = new();
        FakeHost host = new();
        guest.Feed.Connected(host.Welcome);
        guest.Feed.Take(host.Budget());
        guest.Tick();
        host.Use([1_000_000], 0, 0);
        guest.Feed.Take(host.Budget());
        guest.Tick();

        ConsumerTotals process = guest.Engine.Ledger().Consumers.Single(c => c.Kind == ConsumerKind.Process && c.TotalActive > 0);
        Assert.Equal(1_000_000, process.TotalActive);
        Assert.InRange(process.Bounds.Low(1_000_000), 800_000, 900_000);
        Assert.InRange(process.Bounds.High(1_000_000), 1_200_000, 1_300_000);
        MeterTotals vcpu = guest.Engine.Ledger().Meters.Single(meter => meter.Meter.Id == "vcpu-0");
        Assert.Equal((1_000_000, 900_000, 1_200_000), (vcpu.Total, vcpu.Low, vcpu.High));
    }

    [Theory]
    [InlineData("""{"budget":{"epoch":"00","counters":[{"counter":"vcpu-0","microjoules":-5,"low":0,"high":0}]}}""")]
    [InlineData("""{"budget":{"epoch":7,"counters":[]}}""")]
    [InlineData("""{"budget":[]}""")]
    [InlineData("""{"budget":{"epoch":"00","counters":[{"counter":"vcpu-99999999","microjoules":5,"low":0,"high":0}]}}""")]
    public void Resume_NotWhatWasSaved_BeginsAnew(string saved)
    {
        using GuestBench guest = new(null, JsonSerializer.Deserialize<JsonElement>(saved));
        guest.Tick();
        Assert.False(guest.Feed.InUse);
    }

    [Fact]
    public void Write_NothingHeard_WritesNothing()
    {
        using GuestBench guest = new();
        Assert.False(guest.Saved().TryGetProperty("budget", out _));
    }
}
