using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class HistoryStoreTests
{
    private static readonly SeriesKey Package = new(SeriesKind.Domain, "package-0");

    [Fact]
    public void Energy_AnyWindow_IsTheDifferenceOfTheLedgersOwnFigures()
    {
        var agent = new FakeAgent(seconds: 500);
        foreach (int window in (int[])[1, 5, 10, 59, 60, 61, 120, 300, 490, 5_000])
        {
            WindowEnergy energy = agent.History.Energy(Package, TimeSpan.FromSeconds(window))!.Value;
            long then = 500 - (long)Math.Round(energy.Seconds);
            Assert.Equal(SampleLedger.At(500).Meters[0].Total - SampleLedger.At(then).Meters[0].Total, energy.Active);
            Assert.True(Math.Abs(energy.Seconds - Math.Min(window, 491)) <= (window <= 120 ? 5 : 30), $"{window} s gave {energy.Seconds} s");
        }
    }

    [Fact]
    public void Energy_ConsumersWithinAMinute_HaveBounds()
    {
        var agent = new FakeAgent(seconds: 100);
        ConsumerTotals process = agent.Now.Consumers[0];
        WindowEnergy energy = agent.History.Energy(SeriesKey.Of(process), TimeSpan.FromSeconds(5))!.Value;
        Assert.Equal(5, energy.Seconds);
        Assert.Equal(process.TotalActive / 100 * 5, energy.Active);
        Assert.Equal(energy.Active * 0.1, energy.Bounds!.Value.SystematicBelow, 2.0);
        Assert.Null(agent.History.Energy(SeriesKey.Of(process), TimeSpan.FromSeconds(80))!.Value.Bounds);
    }

    [Fact]
    public void Energy_MeterOfAnotherOriginTookOverAndBack_IsThatOfBoth()
    {
        var agent = new FakeAgent(seconds: 50);
        LedgerSnapshot next = SampleLedger.At(51);
        MeterTotals[] both = [next.Meters[0], next.Meters[0] with { Meter = next.Meters[0].Meter with { Origin = EnergyOrigin.Estimate }, Total = 7_000, Current = false }];

        // The ledger keeps them in the order in which they came: what is not in use stands last.
        agent.Advance(next with { Meters = [both[0], next.Meters[1], next.Meters[2], both[1]] });
        long second = next.Meters[0].Total / 51;
        Assert.Equal(second + 7_000, agent.History.Energy(Package, TimeSpan.FromSeconds(1))!.Value.Active);
    }

    [Fact]
    public void Energy_ProcessBornWithinTheWindow_CountsFromZero()
    {
        var agent = new FakeAgent(seconds: 50);
        ConsumerTotals born = agent.Now.Consumers[0] with { Id = "5/5", Pid = 5, Active = [70, 7, 0], Proportional = [0, 0, 0] };
        LedgerSnapshot next = SampleLedger.At(51);
        agent.Advance(next with { Consumers = next.Consumers.Add(born) });
        Assert.Equal(77, agent.History.Energy(SeriesKey.Of(born), TimeSpan.FromSeconds(10))!.Value.Active);
    }

    [Fact]
    public void Resize_Smaller_KeepsMetersAndTheHungriestWithTheirFigures()
    {
        var agent = new FakeAgent(seconds: 200);
        WindowEnergy meter = agent.History.Energy(Package, TimeSpan.FromSeconds(20))!.Value;
        ConsumerTotals[] byEnergy = [.. agent.Now.Consumers.OrderByDescending(consumer => consumer.TotalActive)];
        int meters = agent.Now.Meters.Length * 6;
        WindowEnergy hungriest = agent.History.Energy(SeriesKey.Of(byEnergy[0]), TimeSpan.FromSeconds(5))!.Value;

        HistoryLayout small = HistoryLayout.Minimal with { Tiers = [new(1, 30), new(10, 120)], Series = meters + 1, RecentSeries = meters + 1 };
        agent.History.Resize(small);
        Assert.Same(small, agent.History.Layout);
        Assert.True(agent.History.ValueBytes <= small.MaxBytes);
        Assert.Equal(meters + 1, agent.History.Tracked);
        Assert.True(agent.History.Evicted > 0);
        Assert.Equal(meter, agent.History.Energy(Package, TimeSpan.FromSeconds(20))!.Value);
        Assert.Equal(200 - 99, agent.History.Energy(Package, TimeSpan.FromSeconds(100))!.Value.Seconds);
        Assert.Equal(hungriest, agent.History.Energy(SeriesKey.Of(byEnergy[0]), TimeSpan.FromSeconds(5))!.Value);
        Assert.Null(agent.History.Energy(SeriesKey.Of(byEnergy[^1]), TimeSpan.FromSeconds(5)));

        // It goes on recording, and takes newcomers once there is room again.
        agent.Advance(SampleLedger.At(201));
        Assert.Equal(1, agent.History.Energy(Package, TimeSpan.FromSeconds(1))!.Value.Seconds);
        agent.History.Resize(HistoryLayout.Standard);
        agent.Advance(SampleLedger.At(202));
        agent.Advance(SampleLedger.At(203));
        Assert.NotNull(agent.History.Energy(SeriesKey.Of(byEnergy[^1]), TimeSpan.FromSeconds(1)));
        WindowEnergy since = agent.History.Energy(Package, TimeSpan.FromSeconds(10))!.Value;
        Assert.InRange(since.Seconds, 5, 15);
        Assert.Equal(SampleLedger.At(203).Meters[0].Total - SampleLedger.At(203 - (long)since.Seconds).Meters[0].Total, since.Active);
    }

    [Fact]
    public void Energy_Unknown_IsNullNotZero()
    {
        var agent = new FakeAgent(seconds: 1);
        Assert.Null(agent.History.Energy(Package, TimeSpan.FromSeconds(10)));
        agent.Advance(SampleLedger.At(2));
        Assert.NotNull(agent.History.Energy(Package, TimeSpan.FromSeconds(10)));
        Assert.Null(agent.History.Energy(new SeriesKey(SeriesKind.Process, "nobody"), TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Energy_AfterANewEpoch_KnowsNothingOfTheOld()
    {
        var agent = new FakeAgent(seconds: 100);
        agent.Advance(SampleLedger.At(101, Guid.NewGuid()));
        Assert.Null(agent.History.Energy(Package, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Record_SameTickTwice_ChangesNothing()
    {
        var agent = new FakeAgent(seconds: 20);
        WindowEnergy before = agent.History.Energy(Package, TimeSpan.FromSeconds(5))!.Value;
        agent.History.Record(agent.Now);
        Assert.Equal(before, agent.History.Energy(Package, TimeSpan.FromSeconds(5))!.Value);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(60)]
    public void Query_AnyStep_AddsUpToTheEnergyBetween(int step)
    {
        var agent = new FakeAgent(seconds: 1_300);
        DateTimeOffset to = agent.Time.GetUtcNow();
        int span = step == 1 ? 100 : 600;
        HistoryAnswer answer = agent.History.Query(SeriesKind.Domain, "package-0", to.AddSeconds(-span), to, TimeSpan.FromSeconds(step), IdlePolicy.Separate);
        HistorySeries series = Assert.Single(answer.Series);
        Assert.Equal(span / step, series.Watts.Length);
        long perSecond = SampleLedger.At(1).Meters[0].Total;
        Assert.All(series.Watts, watts => Assert.Equal(perSecond / 1e6, watts!.Value, 6));
        Assert.Equal(to, answer.Times[^1]);
    }

    [Fact]
    public void Query_BeforeTheFirstRecordAndInAGap_IsNull()
    {
        var agent = new FakeAgent(seconds: 20);
        agent.Time.Advance(TimeSpan.FromSeconds(9));
        agent.Advance(SampleLedger.At(30));
        DateTimeOffset to = agent.Time.GetUtcNow();
        double?[] watts = Assert.Single(agent.History.Query(SeriesKind.Domain, "package-0", to.AddSeconds(-40), to, TimeSpan.FromSeconds(1), IdlePolicy.Separate).Series).Watts;
        Assert.All(watts[..10], Assert.Null);
        Assert.All(watts[11..30], value => Assert.NotNull(value));
        Assert.All(watts[30..39], Assert.Null);
        Assert.NotNull(watts[39]);
    }

    [Fact]
    public void Query_AfterAStepOfTheWallClock_LabelsTheSameFiguresAnew()
    {
        var agent = new FakeAgent(seconds: 60);
        DateTimeOffset to = agent.Time.GetUtcNow();
        double?[] before = agent.History.Query(SeriesKind.Domain, "package-0", to.AddSeconds(-30), to, TimeSpan.FromSeconds(1), IdlePolicy.Separate).Series[0].Watts;
        agent.Time.StepWall(TimeSpan.FromHours(-5));
        to = agent.Time.GetUtcNow();
        Assert.Equal(before, agent.History.Query(SeriesKind.Domain, "package-0", to.AddSeconds(-30), to, TimeSpan.FromSeconds(1), IdlePolicy.Separate).Series[0].Watts);
        Assert.Equal(to, agent.History.WallTime(agent.Now.EndNanoseconds));
    }

    [Fact]
    public void Record_ManyComingAndGoing_StaysWithinItsMemory()
    {
        var agent = new FakeAgent(seconds: 0);
        HistoryLayout layout = HistoryLayout.Minimal;
        for (int second = 1; second <= 200; second++)
        {
            agent.Advance(Crowd(second, processes: 300));
        }

        Assert.True(agent.History.ValueBytes <= layout.MaxBytes, $"{agent.History.ValueBytes} of {layout.MaxBytes}");
        Assert.True(agent.History.Tracked <= layout.Series);
        Assert.True(agent.History.Evicted > 0);
        Assert.True(layout.MaxBytes < 2 << 20);
        Assert.True(HistoryLayout.Standard.MaxBytes < 20 << 20);
        Assert.True(HistoryLayout.Full.MaxBytes < 130 << 20);
    }

    [Fact]
    public void Record_MoreConsumersThanRoom_CountsThem()
    {
        var agent = new FakeAgent(seconds: 0);
        agent.Advance(Crowd(1, processes: HistoryLayout.Minimal.RecentSeries + 50));
        Assert.Equal(50 + 18, agent.History.Untracked);
    }

    [Fact]
    public void Record_HungryNewcomer_ReplacesAQuietOne()
    {
        var agent = new FakeAgent(seconds: 0);
        for (int second = 1; second <= 40; second++)
        {
            LedgerSnapshot crowd = Crowd(second, 40, moving: false);
            agent.Advance(second < 15 ? crowd : crowd with { Consumers = crowd.Consumers.Add(Process("newcomer", (second - 14) * 50_000_000L)) });
        }

        DateTimeOffset to = agent.Time.GetUtcNow();
        HistoryAnswer answer = agent.History.Query(SeriesKind.Process, null, to.AddSeconds(-5), to, TimeSpan.FromSeconds(1), IdlePolicy.Separate);
        Assert.Equal("newcomer", answer.Series[0].Key.Id);
        Assert.Equal(50, answer.Series[0].Watts[^1]);
    }

    [Fact]
    public void Record_Warm_AllocatesNothing()
    {
        var agent = new FakeAgent(seconds: 100);
        LedgerSnapshot[] next = [.. Enumerable.Range(101, 30).Select(second => SampleLedger.At(second))];
        agent.History.Record(next[0]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (LedgerSnapshot ledger in next.AsSpan(1))
        {
            agent.History.Record(ledger);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256);
    }

    private static LedgerSnapshot Crowd(int second, int processes, bool moving = true)
    {
        LedgerSnapshot ledger = SampleLedger.At(second);
        int first = moving ? second * processes / 40 : 0;
        return ledger with { Consumers = [.. Enumerable.Range(first, processes).Select(i => Process($"p{i}", second * (1_000L + i)))] };
    }

    private static ConsumerTotals Process(string id, long active) => new()
    {
        Kind = ConsumerKind.Process,
        Id = id,
        Name = id,
        Active = [active, 0, 0],
        Proportional = ImmutableArray.Create<long>(0, 0, 0),
        Bounds = default,
    };
}
