using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class MeteringEngineTests
{
    private const long Second = 1_000_000_000;
    private readonly FakeMachine _machine = new();

    [Fact]
    public void Tick_First_OnlySetsTheStartingPoint()
    {
        MeteringEngine engine = _machine.Engine();
        Outlet outlet = new();
        engine.Attach(outlet);
        _machine.Start(1);
        engine.Tick();
        Assert.Equal(["drain", "meters", "workloads"], _machine.Calls);
        Assert.Equal(0, engine.Ticks);
        Assert.Empty(engine.Ledger().Meters);
        Assert.Empty(engine.Ledger().Consumers);
        Assert.Empty(outlet.Ticks);
        engine.Tick();
        Assert.Equal(1, engine.Ticks);
        Assert.Equal([1L], outlet.Ticks);
        Assert.Equal(_machine.Microjoules, Assert.Single(engine.Ledger().Meters).Total);
    }

    [Fact]
    public void Tick_Later_GoesDrainMetersWorkloadsThenOutlets()
    {
        MeteringEngine engine = _machine.Engine();
        engine.Tick();
        engine.Attach(new Outlet { Seen = () => _machine.Calls.Add("outlet") });
        _machine.Calls.Clear();
        engine.Tick();
        Assert.Equal(["drain", "meters", "workloads", "outlet"], _machine.Calls);
    }

    [Fact]
    public void Phases_AfterATick_AreThatTicksTimes()
    {
        MeteringEngine engine = _machine.Engine();
        engine.Attach(new Outlet { Seen = () => _machine.Clock.Advance(TimeSpan.FromMilliseconds(11)) });
        engine.Tick();
        engine.Tick();
        Assert.Equal(
            [("drain", 3_000_000L), ("meters", 5_000_000L), ("workloads", 7_000_000L), ("attribute", 0L), ("ledger", 0L), ("outlets", 11_000_000L)],
            engine.Phases.Select(phase => (phase.Name, phase.Nanoseconds)));
    }

    [Fact]
    public void Attach_BetweenTicks_SeesTheStateAndThenEveryTickUntilDetached()
    {
        MeteringEngine engine = _machine.Engine();
        Outlet first = new(), second = new();
        engine.Attach(first);
        engine.Tick();
        engine.Tick();
        long at = -1;
        engine.Attach(second, (observation, _) => at = observation.Tick);
        engine.Tick();
        engine.Detach(first);
        engine.Tick();
        engine.Detach(second);
        engine.Tick();
        Assert.Equal(1, at);
        Assert.Equal([1L, 2], first.Ticks);
        Assert.Equal([2L, 3], second.Ticks);
    }

    [Fact]
    public void Attach_StateAtTheStart_ReplaysTheTicksAfterIt()
    {
        MeteringEngine engine = _machine.Engine();
        _machine.Start(1);
        _machine.Start(2);
        engine.Tick();
        engine.Tick();
        Attributor? resumed = null;
        List<(long Live, long Again)> shares = [];
        Outlet outlet = new()
        {
            Shown = (observation, attribution) => shares.Add((attribution.Shares[0].IdleSeparate, resumed!.Attribute(observation).Shares[0].IdleSeparate)),
        };
        engine.Attach(outlet, (observation, attributor) => resumed = new Attributor(attributor.Options, attributor.State, observation.Meters));
        for (int i = 0; i < 5; i++)
        {
            _machine.Microjoules += 1_000 * i;
            engine.Tick();
        }

        Assert.Equal(5, shares.Count);
        Assert.All(shares, share => Assert.Equal(share.Live, share.Again));
    }

    [Fact]
    public void Ended_SeenByAScrape_GoesAndItsEnergyStays()
    {
        MeteringEngine engine = Ended(1);
        engine.MarkSeen(engine.Ledger());
        Until(engine, () => _machine.Forgotten.Count > 0);
        Assert.DoesNotContain(engine.Ledger().Consumers, consumer => consumer.Kind == ConsumerKind.Process && consumer.Name == "p1");
        Assert.Single(_machine.Forgotten);
        Assert.Equal(0, engine.DroppedEnded);
        AssertConserved(engine);
    }

    [Fact]
    public void Ended_SeenByNobody_StaysTenMinutes()
    {
        MeteringEngine engine = Ended(1);
        for (int i = 0; i < 10; i++)
        {
            engine.Tick();
        }

        Assert.Contains(engine.Ledger().Consumers, consumer => consumer.Name == "p1");
        _machine.Pass(601 * Second);
        Until(engine, () => _machine.Forgotten.Count > 0);
        Assert.DoesNotContain(engine.Ledger().Consumers, consumer => consumer.Name == "p1");
        Assert.Equal(0, engine.DroppedEnded);
        AssertConserved(engine);
    }

    [Fact]
    public void Ended_SnapshotOfBeforeTheEndSeen_Stays()
    {
        _machine.Start(1);
        MeteringEngine engine = _machine.Engine();
        engine.Tick();
        engine.Tick();
        LedgerSnapshot before = engine.Ledger();
        _machine.End(1);
        for (int i = 0; i < 10; i++)
        {
            engine.Tick();
        }

        engine.MarkSeen(before);
        engine.Tick();
        Assert.Contains(engine.Ledger().Consumers, consumer => consumer.Name == "p1");
    }

    [Fact]
    public void Ended_MoreThanTheLimit_OldestGoAreCountedAndTheirEnergyStays()
    {
        MeteringEngine engine = Ended([.. Enumerable.Range(1, 130)]);
        Until(engine, () => _machine.Forgotten.Count > 0);
        Assert.Equal(30, _machine.Forgotten.Count);
        Assert.Equal(30, engine.DroppedEnded);
        AssertConserved(engine);
    }

    [Fact]
    public void Ledger_ReadOftenOrNever_ChangesNothing()
    {
        FakeMachine other = new();
        MeteringEngine asked = _machine.Engine(), quiet = other.Engine();
        foreach (FakeMachine machine in new[] { _machine, other })
        {
            machine.Start(1);
            machine.Start(2);
        }

        for (int i = 0; i < 20; i++)
        {
            asked.Tick();
            quiet.Tick();
            LedgerSnapshot once = asked.Ledger();
            Assert.Same(once, asked.Ledger());
            _ = asked.Threads(1);
            _ = asked.Phases;
        }

        Assert.Equal(quiet.Ledger().Meters.Single(), asked.Ledger().Meters.Single());
        Assert.Equal(
            quiet.Ledger().Consumers.Select(consumer => (consumer.Id, consumer.Active.Single(), consumer.CpuNanoseconds)),
            asked.Ledger().Consumers.Select(consumer => (consumer.Id, consumer.Active.Single(), consumer.CpuNanoseconds)));
        AssertConserved(asked);
    }

    [Fact]
    public void Ledger_TakenBefore_StaysAsItWas()
    {
        _machine.Start(1);
        MeteringEngine engine = _machine.Engine();
        engine.Tick();
        engine.Tick();
        LedgerSnapshot before = engine.Ledger();
        long total = before.Meters.Single().Total;
        engine.Tick();
        Assert.Equal(total, before.Meters.Single().Total);
        Assert.NotSame(before, engine.Ledger());
    }

    // An engine in which the processes ran two ticks and ended.
    private MeteringEngine Ended(params int[] pids)
    {
        MeteringEngine engine = _machine.Engine(new EngineOptions { EndedProcessLimit = 100 });
        foreach (int pid in pids)
        {
            _machine.Start(pid);
        }

        engine.Tick();
        engine.Tick();
        foreach (int pid in pids)
        {
            _machine.End(pid);
        }

        // The table is looked through once a second of ticks.
        for (int i = 0; i < 3; i++)
        {
            engine.Tick();
        }

        return engine;
    }

    private static void Until(MeteringEngine engine, Func<bool> condition)
    {
        for (int i = 0; i < 10 && !condition(); i++)
        {
            engine.Tick();
        }

        Assert.True(condition());
    }

    private void AssertConserved(MeteringEngine engine)
    {
        LedgerSnapshot ledger = engine.Ledger();
        MeterTotals meter = ledger.Meters.Single();
        long processes = ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Process).Sum(consumer => consumer.Active[0]);
        Assert.Equal(_machine.Given, meter.Total);
        Assert.Equal(meter.Total, processes + meter.DepartedActive + meter.SystemActive + meter.UnattributedActive + meter.IdleSeparate);
    }

    private sealed class Outlet : ITickOutlet
    {
        internal List<long> Ticks { get; } = [];

        internal Action? Seen { get; init; }

        internal Action<Observation, TickAttribution>? Shown { get; init; }

        public void OnTick(Observation observation, TickAttribution attribution)
        {
            Ticks.Add(observation.Tick);
            Seen?.Invoke();
            Shown?.Invoke(observation, attribution);
        }
    }
}
