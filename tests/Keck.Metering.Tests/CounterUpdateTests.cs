namespace Keck.Metering.Tests;

/// <summary>A counter that is updated about once a millisecond, read in ticks of 100 ms: what the reading's age does to the figures.</summary>
public sealed class CounterUpdateTests
{
    private const long Tick = 100_000_000;
    private const double Update = 1e6;
    private const double StaticWatts = 20, HeavyWatts = 30, LightWatts = 10;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Attribute_ConstantPower_AgeOfReadingsIsWithinBoundsCancelsOutAndIsBlamedOnNobody(int seed)
    {
        Random random = new(seed);
        Observation observation = Machines.Observation(Machines.Topology(1, 4), Machines.Package(0));
        int heavy = observation.Process(100), light = observation.Process(101);
        int heavyThread = observation.Thread(1_000, heavy), lightThread = observation.Thread(1_001, light);
        Attributor attributor = new();
        double read = 0, truth = 0, widest = 0, sumOfShares = 0, sumOfSquares = 0, second = 0;
        int inside = 0, ticks = 0;
        for (int tick = 0; tick < 420; tick++)
        {
            bool idle = tick < 20;
            observation.Next(Tick);
            if (!idle)
            {
                // Three CPUs and one: the model has it right, so that all that is left is the reading's age.
                observation.Run(heavyThread, (0, Tick, Unobserved.Value), (1, Tick, Unobserved.Value), (2, Tick, Unobserved.Value));
                observation.Run(lightThread, (3, Tick, Unobserved.Value));
            }

            observation.CloseCpus();
            double watts = StaticWatts + (idle ? 0 : HeavyWatts + LightWatts);
            truth += watts * Tick * 1e-3;
            double counter = truth - (watts * random.NextDouble() * Update * 1e-3);
            long energy = (long)Math.Floor(counter) - (long)Math.Floor(read);
            read = counter;
            observation.Read(0, energy);
            TickAttribution result = attributor.Attribute(observation);
            if (tick < 60)
            {
                continue;
            }

            double right = HeavyWatts * Tick * 1e-3, off = result.Active(heavy, 0) - right;
            BoundSample bounds = result.Bounds(heavy);
            inside += right >= bounds.Low(result.Active(heavy, 0)) && right <= bounds.High(result.Active(heavy, 0)) ? 1 : 0;
            widest = Math.Max(widest, Math.Abs(off) / right);
            double share = result.Active(heavy, 0) / (double)(result.Active(heavy, 0) + result.Active(light, 0));
            (sumOfShares, sumOfSquares, ticks) = (sumOfShares + share, sumOfSquares + (share * share), ticks + 1);
            second += off;
            if (ticks % 10 == 0)
            {
                // A second of ticks is off by the age of its two ends at most: a millisecond of 1,000.
                Assert.InRange(Math.Abs(second) / (right * 10), 0, Off(10 * Tick));
                second = 0;
            }
        }

        // A tick is off by a millisecond of 100 at most, and only the energy is: who had which part of it does not move.
        double mean = sumOfShares / ticks;
        Assert.InRange(widest, 0, Off(Tick));
        Assert.Equal(0.75, mean, 0.01);
        Assert.InRange(Math.Sqrt(Math.Max(0, (sumOfSquares / ticks) - (mean * mean))), 0, 0.002);
        Assert.Equal(ticks, inside);
    }

    // The age of the reading, of all that the package draws; and that of the half second from which its static power was learned.
    private static double Off(double nanoseconds) =>
        (((StaticWatts + HeavyWatts + LightWatts) * Update / nanoseconds) + (StaticWatts * Update / (5 * Tick))) / (HeavyWatts + LightWatts);
}
