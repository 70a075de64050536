using Keck.Metering;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Agent.Tests;

public sealed class StateKeeperTests : IDisposable
{
    private const string Boot = "boot-1";
    private readonly string _directory = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Load_AfterAKill_HasEveryMicrojouleThatWasCommitted()
    {
        LedgerSnapshot committed;
        using (StateKeeper keeper = Keeper(Boot))
        {
            ResumedState state = keeper.Load();
            Assert.Null(state.Saved);
            MeteringEngine engine = Engine(state.Ledger, keeper);
            for (int i = 0; i < 5; i++)
            {
                engine.Tick();
                Assert.True(keeper.Commit(engine.Ledger().EndNanoseconds));
            }

            committed = engine.Ledger();
        }

        using StateKeeper again = Keeper(Boot);
        ResumedState resumed = again.Load();

        Assert.True(resumed.SameBoot);
        Assert.Equal(17, resumed.Saved!.Value.GetProperty("mine").GetInt32());
        Assert.Equal(committed.Epoch, resumed.Ledger.Epoch);
        MeteringEngine next = Engine(resumed.Ledger, again);
        next.Tick();
        next.Tick();
        LedgerSnapshot after = next.Ledger();
        Assert.Equal(committed.Meters[0].Total + Meters.EachTick, after.Meters[0].Total);
        Assert.Equal(committed.StartNanoseconds, after.StartNanoseconds);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_InAnotherBoot_GoesOnInTheSameEpochOnlyAfterACleanStop(bool clean)
    {
        Guid epoch;
        using (StateKeeper keeper = Keeper(Boot))
        {
            MeteringEngine engine = Engine(keeper.Load().Ledger, keeper);
            engine.Tick();
            engine.Tick();
            epoch = engine.Ledger().Epoch;
            if (clean)
            {
                keeper.Close();
            }
        }

        using StateKeeper again = Keeper("boot-2");
        ResumedState resumed = again.Load();

        Assert.False(resumed.SameBoot);
        Assert.Equal(clean, resumed.Ledger.Epoch == epoch);
        MeteringEngine next = Engine(resumed.Ledger, again);
        next.Tick();
        next.Tick();
        Assert.Equal(2 * Meters.EachTick, next.Ledger().Meters.Sum(meter => meter.Total));
    }

    [Fact]
    public void Load_DocumentOfAnotherKind_StartsANewEpoch()
    {
        using (StateFile file = StateFile.Open(_directory))
        {
            file.Save("""{"bootId":"boot-1","clean":true,"savedAt":"2026-11-24T00:00:00Z","epoch":"x"}"""u8, durable: false);
        }

        using StateKeeper keeper = Keeper(Boot);
        Assert.Null(keeper.Load().Saved);
    }

    [Fact]
    public void Tick_MetersResumed_BooksTheDowntimeAsUnattributedOnce()
    {
        using StateKeeper keeper = Keeper(Boot);
        MeteringEngine engine = Engine(keeper.Load().Ledger, keeper, new Meters { Downtime = 700_000 });
        engine.Tick();
        Assert.Equal((0L, 700_000L, 700_000L), (engine.Ticks, engine.Ledger().Meters[0].Total, engine.Ledger().Meters[0].UnattributedActive));
        engine.Tick();
        Assert.Equal((1L, 700_000L + Meters.EachTick, 700_000L), (engine.Ticks, engine.Ledger().Meters[0].Total, engine.Ledger().Meters[0].UnattributedActive));
    }

    private static MeteringEngine Engine(EnergyLedger ledger, StateKeeper keeper, Meters? meters = null)
    {
        meters ??= new Meters();
        MeteringEngine engine = new(meters, meters, meters, new Attributor(), ledger, new EngineOptions(), TimeProvider.System);
        keeper.Follow(engine, static json => json.WriteNumber("mine", 17));
        return engine;
    }

    private StateKeeper Keeper(string boot) => new(StateFile.Open(_directory), boot, TimeProvider.System, NullLogger.Instance);

    /// <summary>A machine on which nobody runs: one meter, ticks of a second.</summary>
    private sealed class Meters : IRunSource, IMeterFeed, IWorkloads
    {
        internal const long EachTick = 1_000_003;
        private static long _now;

        private int _samples;

        internal long Downtime { get; init; }

        public string Name => "none";

        public Topology Topology { get; } = new([new CpuPlace(0, 0, 0, 0)], null);

        public void Drain(Observation observation) => observation.EndNanoseconds = Interlocked.Add(ref _now, 1_000_000_000);

        public void Sample(Observation observation)
        {
            observation.Meters = [_meter];
            bool first = _samples++ == 0;
            observation.MeterSamples.Add() = new MeterSample
            {
                Microjoules = first ? Downtime : EachTick,
                Milliwatts = Unobserved.Value,
                ReadNanoseconds = observation.EndNanoseconds,
                Unattributable = first && Downtime > 0,
            };
        }

        public void Resolve(Observation observation)
        {
        }

        public void Forget(int process)
        {
        }

        private readonly Meter _meter = new()
        {
            Id = "package-0",
            Domain = EnergyDomain.Package,
            Package = 0,
            Origin = EnergyOrigin.Rapl,
            Quality = ReadingQuality.Measured,
            Selected = true,
        };
    }
}
