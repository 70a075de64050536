namespace Keck.Metering.Tests;

public sealed class AttributionStaticTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Part_NeverSeenIdle_TakesThePriorOfIdleToFull()
    {
        var floor = new StaticFloor();

        // Full load: 20 % of 100 W are static. Half load draws 0.6 of full: full is 166.67 W, static a third of 100 W.
        Assert.Equal(20_000_000, floor.Part(100_000_000, Second, Second, Second));
        Assert.Equal(33_333_333, new StaticFloor().Part(100_000_000, Second, Second / 2, Second));
        Assert.False(floor.SeenIdle);
        Assert.Equal(0.6, floor.Uncertainty, 9);
    }

    [Fact]
    public void Part_SeenIdle_TakesTheFloorLearned()
    {
        var floor = new StaticFloor();
        _ = floor.Part(30_000_000, Second, 0, Second);
        Assert.True(floor.SeenIdle);
        Assert.Equal(0.05, floor.Uncertainty);
        Assert.Equal(30_000_000, floor.Part(100_000_000, Second, Second, Second));
    }

    [Fact]
    public void Part_IdlePowerChanges_FollowsDownQuicklyAndUpSlowly()
    {
        var floor = new StaticFloor();
        _ = floor.Part(40_000_000, Second, 0, Second);
        _ = floor.Part(20_000_000, Second, 0, Second);
        Assert.Equal(30, floor.Watts!.Value, 9);
        _ = floor.Part(40_000_000, Second, 0, Second);
        Assert.Equal(30.2, floor.Watts!.Value, 9);
    }

    [Fact]
    public void Part_BusyWindowBelowTheFloor_ProvesItWrong()
    {
        var floor = new StaticFloor();
        _ = floor.Part(40_000_000, Second, 0, Second);

        // All of it draws less than the floor: that much at most is static.
        _ = floor.Part(30_000_000, Second, Second / 2, Second);
        Assert.Equal(30, floor.Watts!.Value, 9);
    }

    [Fact]
    public void Part_LessEnergyThanTheFloor_IsAllStatic()
    {
        var floor = new StaticFloor();
        _ = floor.Part(40_000_000, Second, 0, Second);
        Assert.Equal(12_345, floor.Part(12_345, Second, Second, Second));
    }

    [Fact]
    public void Part_SourceKnows_IsTakenAtItsWord()
    {
        var floor = new StaticFloor(knownWatts: 12);
        _ = floor.Part(50_000_000, Second, 0, Second);
        Assert.Equal(6_000_000, floor.Part(50_000_000, Second / 2, 0, Second / 2));
        Assert.Equal(0, floor.Uncertainty);
    }

    [Fact]
    public void Part_SaturatedAndNeverIdle_LearnsNothing()
    {
        var floor = new StaticFloor();
        foreach (long watts in new[] { 100, 60, 140, 80 })
        {
            // Each tick by itself: a fifth of what it draws, and nothing of the ticks before it.
            Assert.Equal(watts * 200_000, floor.Part(watts * 1_000_000, Second, Second, Second));
        }

        Assert.Null(floor.Watts);
        Assert.False(floor.IsKnown);
        Assert.Equal((FloorBasis.Prior, 0.6), (floor.Basis, Math.Round(floor.Uncertainty, 9)));
        Assert.Null(floor.TakeChange());

        // A busy window with something of idle in it is an upper limit, and a saturated one below it does not move it.
        _ = floor.Part(100_000_000, Second, Second / 2, Second);
        Assert.Equal((FloorBasis.Busy, 33.333), (floor.Basis, Math.Round(floor.Watts!.Value, 3)));
        _ = floor.Part(20_000_000, Second, Second, Second);
        Assert.Equal(33.333, floor.Watts!.Value, 3);

        _ = floor.Part(12_000_000, Second, 0, Second);
        Assert.Equal((FloorBasis.Idle, 12, 0.05), (floor.Basis, Math.Round(floor.Watts!.Value, 9), floor.Uncertainty));
    }

    [Fact]
    public void Part_PriorOfTheCpu_IsTakenUntilIdleIsSeenAndItsBoundsAreWhatItSays()
    {
        var floor = new StaticFloor(prior: new IdlePrior(0.3, 0.1, 0.6, "a generation"));
        Assert.Equal(30_000_000, floor.Part(100_000_000, Second, Second, Second));
        Assert.Equal((0.667, 1.0), (Math.Round(floor.MayBeLess, 3), Math.Round(floor.MayBeMore, 3)));

        // Half busy: 0.3 ÷ (0.3 + 0.7 × 0.5) of 65 W; by the bounds 11.8 to 48.75 W.
        _ = floor.Part(65_000_000, Second, Second / 2, Second);
        Assert.Equal(30, floor.Watts!.Value, 9);
        Assert.Equal((0.606, 0.625), (Math.Round(floor.MayBeLess, 3), Math.Round(floor.MayBeMore, 3)));
        Assert.Equal(floor.State, new StaticFloor(null, floor.State, new IdlePrior(0.3, 0.1, 0.6, "a generation")).State);

        _ = floor.Part(20_000_000, Second, 0, Second);
        Assert.Equal((0.05, 0.05, 20), (floor.MayBeLess, floor.MayBeMore, Math.Round(floor.Watts!.Value, 9)));
    }

    [Fact]
    public void Attribute_PriorOfTheCpu_IsOfPackagesAndNotOfMemory()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 1), Machines.Package(0), Machines.Dram(0));
        int thread = observation.Thread(1_000, observation.Process(100, pss: 1_000));
        observation.Next(Second);
        observation.Run(thread, (0, Second, Unobserved.Value));
        observation.CloseCpus();
        observation.Read(0, 10_000_000);
        observation.Read(1, 10_000_000);
        TickAttribution result = new Attributor(new AttributionOptions { IdlePrior = new IdlePrior(0.3, 0.1, 0.6, "a generation") }).Attribute(observation);
        Assert.Equal((3_000_000, 2_000_000), (result.Shares[0].Static, result.Shares[1].Static));
    }

    [Fact]
    public void Part_CounterStoodStill_LearnsNothing()
    {
        var floor = new StaticFloor();
        _ = floor.Part(30_000_000, Second, 0, Second);
        Assert.NotNull(floor.TakeChange());
        for (int window = 0; window < 20; window++)
        {
            _ = floor.Part(0, Second, 0, Second);
        }

        Assert.Equal(30, floor.Watts);
        Assert.Null(floor.TakeChange());
    }

    [Fact]
    public void TakeChange_Drift_IsToldOnceItIsNoticeableAndLeadsBack()
    {
        var floor = new StaticFloor();
        _ = floor.Part(30_000_000, Second, 0, Second);
        FloorChange first = floor.TakeChange()!.Value;
        Assert.Equal((AdoptionCause.Idle, 0, null), (first.Cause, first.Utilisation, first.Before.Watts));
        Assert.Null(floor.TakeChange());
        StaticFloorState told = floor.State;

        int windows = 0;
        FloorChange? moved = null;
        while (moved is null && ++windows < 1000)
        {
            _ = floor.Part(40_000_000, Second, 0, Second);
            moved = floor.TakeChange();
        }

        // 2 % of 30 W at 2 % of the difference a window: three are drift, the fourth is told, with where it began.
        Assert.Equal(4, windows);
        Assert.Equal(told, moved!.Value.Before);
        Assert.InRange(floor.Watts!.Value, 30.6, 30.9);
    }

    [Fact]
    public void Attribute_FloorAdopted_IsInThatTickAlone()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0), Machines.Package(1) with { Id = "package-1", KnownStaticWatts = 5 });
        Attributor attributor = new();
        List<Adoption> adoptions = [];
        for (int tick = 0; tick < 20; tick++)
        {
            observation.Next(Second / 10);
            observation.CloseCpus();
            observation.Read(0, 1_000_000);
            observation.Read(1, 2_000_000);
            adoptions.AddRange(attributor.Attribute(observation).Adoptions.Items);
        }

        // What a source says itself is nothing that was adopted.
        Adoption floor = Assert.Single(adoptions, adoption => adoption.Cause == AdoptionCause.Idle);
        Assert.Equal(("package-0", 5 * (Second / 10)), (floor.Meter, floor.Nanoseconds - observation.EndNanoseconds + (20 * (Second / 10))));
        Assert.Equal((null, 10), (floor.Before.Watts, Math.Round(floor.After.Watts!.Value, 9)));
        Assert.Equal(["package-0 Idle 10", "package-1 Source 5"], attributor.FloorFigures.Select(figure => $"{figure.Meter} {figure.Basis} {figure.Watts:0.###}"));
    }

    [Fact]
    public void State_RoundTrip_GoesOnTheSame()
    {
        var random = new Random(99);
        var whole = new StaticFloor();
        var resumed = new StaticFloor();
        for (int tick = 0; tick < 500; tick++)
        {
            long energy = random.NextInt64(1, 5_000_000);
            double busy = random.Next(4) == 0 ? 0 : random.NextDouble() * Second / 10;
            Assert.Equal(whole.Part(energy, Second / 10, busy, Second / 10), resumed.Part(energy, Second / 10, busy, Second / 10));
            if (tick % 7 == 0)
            {
                resumed = new StaticFloor(null, resumed.State);
            }
        }

        Assert.Equal(whole.State, resumed.State);
    }

    [Fact]
    public void Attribute_IdlePolicies_ShareTheSameStaticEnergyDifferently()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0) with { KnownStaticWatts = 6 });
        int heavy = observation.Process(100), light = observation.Process(101);
        int[] threads = [observation.Thread(1_000, heavy), observation.Thread(1_001, light)];
        observation.Next(Second);
        observation.Run(threads[0], (0, 300_000_000, Unobserved.Value));
        observation.Run(threads[1], (1, 100_000_000, Unobserved.Value));
        observation.CloseCpus();
        observation.Read(0, 10_000_000);
        TickAttribution result = new Attributor().Attribute(observation);
        MeterShares shares = result.Shares[0];
        Assert.Equal((10_000_000, 6_000_000), (shares.Total, shares.Static));
        Assert.Equal((3_000_000, 1_000_000), (result.Active(heavy, 0), result.Active(light, 0)));

        // separate (and allocated, where no machine is sized): all static energy stays with idle; proportional: none of it.
        Assert.Equal(6_000_000, shares.IdleSeparate);
        Assert.Equal((4_500_000, 1_500_000, 0), (result.Proportional(heavy, 0), result.Proportional(light, 0), shares.IdleProportional));
    }

    [Fact]
    public void Attribute_NobodyActive_LeavesEverythingToIdleUnderEachPolicy()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0) with { KnownStaticWatts = 6 });
        observation.Next(Second);
        observation.CloseCpus();
        observation.Read(0, 10_000_000);
        MeterShares shares = new Attributor().Attribute(observation).Shares[0];
        Assert.Equal((10_000_000, 10_000_000), (shares.IdleSeparate, shares.IdleProportional));
    }
}
