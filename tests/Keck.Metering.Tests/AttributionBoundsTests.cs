namespace Keck.Metering.Tests;

public sealed class AttributionBoundsTests
{
    private const long Second = 1_000_000_000;

    // A source taken at its word, with no static part and no step: only the model can be wrong.
    private static readonly Meter Exact = Machines.Package(0) with { KnownStaticWatts = 0, Quantum = null, Quality = ReadingQuality.Estimated };

    [Fact]
    public void Attribute_OnlyOneProcessRan_BoundsAreItsEnergy()
    {
        (long energy, long low, long high) = First(Exact, alone: true);
        Assert.Equal((1_000_000, 1_000_000, 1_000_000), (energy, low, high));
    }

    [Fact]
    public void Attribute_TwoProcesses_BoundsHoldTheSpreadOfTheModel()
    {
        // 0.25 × 1 J × ½ × ½ = 62.5 mJ each way.
        Assert.Equal((500_000, 437_500, 562_500), First(Exact, alone: false));
    }

    [Fact]
    public void Attribute_EstimatedSource_WidensTheBoundsByItsFactors()
    {
        Assert.Equal((1_000_000, 500_000, 3_000_000), First(Exact with { LowFactor = 0.5, HighFactor = 3 }, alone: true));
    }

    [Fact]
    public void Attribute_LostTime_OpensTheUpperBound()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Exact);
        int process = observation.Process(100);
        int thread = observation.Thread(1_000, process);
        observation.Next(Second);
        observation.Run(thread, (0, 200_000_000, Unobserved.Value));
        observation.CloseCpus(lostEach: 100_000_000);
        observation.Read(0, 1_000_000);
        TickAttribution result = new Attributor(new AttributionOptions { Signatures = false }).Attribute(observation);
        BoundSample bounds = result.Bounds(process);

        // Model 62.5 mJ; half of the 500 mJ that nobody is known to own may be its.
        Assert.Equal((500_000, 437_500, 812_500), (result.Active(process, 0), bounds.Low(500_000), bounds.High(500_000)));
    }

    [Fact]
    public void Attribute_StaticPartNotLearned_DoubtIsWiderThanSeenIdle()
    {
        BoundSample never = Learned(idleFirst: false), seen = Learned(idleFirst: true);
        Assert.True(seen.SystematicAbove < never.SystematicAbove / 2, $"{seen.SystematicAbove} against {never.SystematicAbove}");
    }

    [Fact]
    public void Attribute_FirstIdleTick_IsBoundedByWhatWasKnownBeforeIt()
    {
        // A busy window says 33.3 W; the machine draws 45 W idle: the first idle tick is split by the former, and is off by that much.
        Meter meter = Machines.Package(0) with { Quantum = null };
        Observation observation = Machines.Observation(Machines.Topology(1, 2), meter);
        int process = observation.Process(100), thread = observation.Thread(1_000, process);
        var attributor = new Attributor(new AttributionOptions { Signatures = false });
        _ = Tick(100_000_000, Second);
        TickAttribution idle = Tick(45_500_000, Second / 50);
        long active = idle.Active(process, 0);
        Assert.InRange(active, 12_000_000, 12_500_000);
        Assert.InRange(idle.Bounds(process).Low(active), 0, 500_000);
        Assert.True(idle.Shares[0].IdleBounds.High(idle.Shares[0].IdleSeparate) >= 45_000_000);

        TickAttribution Tick(long microjoules, long ran)
        {
            observation.Next(Second);
            observation.Run(thread, (0, ran, Unobserved.Value));
            observation.CloseCpus();
            observation.Read(0, microjoules);
            return attributor.Attribute(observation);
        }
    }

    [Fact]
    public void Attribute_NobodyRan_IdleHasAllOfTheSourcesDoubt()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Exact with { LowFactor = 0.5, HighFactor = 3 });
        observation.Next(Second);
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        MeterShares shares = new Attributor(new AttributionOptions { Signatures = false }).Attribute(observation).Shares[0];
        Assert.Equal((1_000_000, 0, 3_000_000), (shares.IdleSeparate, shares.IdleBounds.Low(1_000_000), shares.IdleBounds.High(1_000_000)));
    }

    [Fact]
    public void Attribute_CounterStep_IsRandom()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Exact with { Quantum = new Microjoules(300) });
        BoundSample bounds = Bounds(observation, alone: true);
        Assert.Equal(0, bounds.SystematicBelow);
        Assert.Equal(300.0 * 300 / 3, bounds.RandomSquare, 6);
    }

    [Fact]
    public void Attribute_ConstantEnergyPerNanosecondHidden_TruthLiesWithinTheBounds()
    {
        // The truth: each process draws up to 15 % more or less per ns than the model believes.
        var random = new Random(77);
        for (int round = 0; round < 200; round++)
        {
            Observation observation = Machines.Observation(Machines.Topology(1, 8), Exact);
            int[] processes = [.. Enumerable.Range(0, random.Next(2, 8)).Select(i => observation.Process(100 + i))];
            double[] truth = new double[processes.Length];
            observation.Next(Second);
            for (int i = 0; i < processes.Length; i++)
            {
                long ran = random.NextInt64(10_000_000, 900_000_000);
                truth[i] = ran / 1e3 * (0.9 + (0.2 * random.NextDouble()));
                observation.Run(observation.Thread(1_000 + i, processes[i]), (i, ran, Unobserved.Value));
            }

            observation.CloseCpus();
            observation.Read(0, (long)truth.Sum());
            TickAttribution result = new Attributor(new AttributionOptions { Signatures = false }).Attribute(observation);
            for (int i = 0; i < processes.Length; i++)
            {
                long active = result.Active(processes[i], 0);
                BoundSample bounds = result.Bounds(processes[i]);
                Assert.InRange(truth[i], bounds.Low(active) - 1, bounds.High(active) + 1);
            }
        }
    }

    private static (long Energy, long Low, long High) First(Meter meter, bool alone)
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), meter);
        BoundSample bounds = Bounds(observation, alone);
        long energy = alone ? 1_000_000 : 500_000;
        return (energy, bounds.Low(energy), bounds.High(energy));
    }

    private static BoundSample Bounds(Observation observation, bool alone)
    {
        int process = observation.Process(100), other = observation.Process(101);
        observation.Next(Second);
        observation.Run(observation.Thread(1_000, process), (0, 200_000_000, Unobserved.Value));
        if (!alone)
        {
            observation.Run(observation.Thread(1_001, other), (1, 200_000_000, Unobserved.Value));
        }

        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        TickAttribution result = new Attributor(new AttributionOptions { Signatures = false }).Attribute(observation);
        Assert.Equal(alone ? 1_000_000 : 500_000, result.Active(process, 0));
        return result.Bounds(process);
    }

    private static BoundSample Learned(bool idleFirst)
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 2), Exact with { KnownStaticWatts = null });
        int process = observation.Process(100);
        int thread = observation.Thread(1_000, process);
        var attributor = new Attributor(new AttributionOptions { Signatures = false });
        if (idleFirst)
        {
            observation.Next(Second);
            observation.CloseCpus();
            observation.Read(0, 2_000_000);
            _ = attributor.Attribute(observation);
        }

        observation.Next(Second);
        observation.Run(thread, (0, Second, Unobserved.Value), (1, Second, Unobserved.Value));
        observation.CloseCpus();
        observation.Read(0, 10_000_000);
        return attributor.Attribute(observation).Bounds(process);
    }
}
