namespace Keck.Power.Tests;

public sealed class EnergyCounterTests
{
    private const long Second = 1_000_000_000;
    private const long Range = 65_712_999_613;

    [Fact]
    public void Advance_FirstValue_IsBaseline() => Assert.Equal(CounterVerdict.Baseline, new EnergyCounter(Range, 2_000).Advance(5, 0).Verdict);

    [Fact]
    public void Advance_CounterRose_GivesTheDifference()
    {
        EnergyCounter counter = new(Range, 2_000);
        _ = counter.Advance(1_000_000, 0);
        Assert.Equal(new(CounterVerdict.Energy, 150_000_000), counter.Advance(151_000_000, Second));
    }

    [Fact]
    public void Advance_CounterWrapped_UndoesExactlyOneWrap()
    {
        EnergyCounter counter = new(Range, 2_000);
        _ = counter.Advance(Range - 1_000, 0);
        Assert.Equal(new(CounterVerdict.Wrapped, 1_500), counter.Advance(500, Second));
        Assert.Equal(new(CounterVerdict.Energy, 100), counter.Advance(600, 2 * Second));
    }

    [Fact]
    public void Advance_WentBackWithoutPlausibleWrap_IsResetAndThenResumes()
    {
        EnergyCounter counter = new(Range, 2_000);
        _ = counter.Advance(5_000_000_000, 0);
        Assert.Equal(CounterVerdict.Reset, counter.Advance(1_000, Second).Verdict);
        Assert.Equal(new(CounterVerdict.Resumed, 500), counter.Advance(1_500, 2 * Second));
        Assert.Equal(new(CounterVerdict.Energy, 500), counter.Advance(2_000, 3 * Second));
    }

    [Fact]
    public void Advance_RangeUnknownAndWentBack_IsResetNeverWrap()
    {
        EnergyCounter counter = new(null, 2_000);
        _ = counter.Advance(long.MaxValue / 2, 0);
        Assert.Equal(CounterVerdict.Reset, counter.Advance(5, Second).Verdict);
    }

    [Fact]
    public void Advance_OneAbsurdValue_LosesNothing()
    {
        EnergyCounter counter = new(Range, 2_000);
        _ = counter.Advance(1_000, 0);
        Assert.Equal(CounterVerdict.Jump, counter.Advance(60_000_000_000, Second).Verdict);
        Assert.Equal(new(CounterVerdict.Energy, 7_000), counter.Advance(8_000, 2 * Second));
    }

    [Fact]
    public void Advance_JumpThatStays_CountsOnFromThere()
    {
        EnergyCounter counter = new(Range, 2_000);
        _ = counter.Advance(1_000, 0);
        _ = counter.Advance(60_000_000_000, Second);
        Assert.Equal(new(CounterVerdict.Resumed, 10), counter.Advance(60_000_000_010, 2 * Second));
    }

    [Fact]
    public void Advance_MoreThanHalfTheRangePossible_IsExactAndLate()
    {
        EnergyCounter counter = new(Range, 2_000);
        _ = counter.Advance(0 + 1, 0);
        Assert.Equal(new(CounterVerdict.Late, 999), counter.Advance(1_000, 20 * Second));
    }

    [Fact]
    public void Advance_MoreThanTheRangePossible_IsGapAndStartsAgain()
    {
        EnergyCounter counter = new(Range, 2_000);
        _ = counter.Advance(1_000, 0);
        Assert.Equal(CounterVerdict.Gap, counter.Advance(2_000, 40 * Second).Verdict);
        Assert.Equal(new(CounterVerdict.Energy, 5), counter.Advance(2_005, 41 * Second));
    }

    [Fact]
    public void Advance_AboveItsRange_IsRefusedAndBaselineStays()
    {
        EnergyCounter counter = new(Range, 2_000);
        _ = counter.Advance(1_000, 0);
        Assert.Equal(CounterVerdict.OutOfRange, counter.Advance(Range + 1, Second).Verdict);
        Assert.Equal(new(CounterVerdict.Energy, 1), counter.Advance(1_001, 2 * Second));
    }

    [Fact]
    public void Advance_OnlyEverZero_IsFlatUntilItMoves()
    {
        EnergyCounter counter = new(Range, 2_000);
        Assert.Equal(CounterVerdict.FlatZero, counter.Advance(0, 0).Verdict);
        Assert.Equal(CounterVerdict.FlatZero, counter.Advance(0, Second).Verdict);
        Assert.Equal(CounterVerdict.Baseline, counter.Advance(77, 2 * Second).Verdict);
        Assert.Equal(new(CounterVerdict.Energy, 3), counter.Advance(80, 3 * Second));
    }

    [Fact]
    public void Advance_StartsAtZeroByItself_CountsFromZeroAndIsFlatAfterAMoment()
    {
        EnergyCounter moving = new(null, 2_000, startsAtZero: true);
        _ = moving.Advance(0, 0);
        Assert.Equal(new(CounterVerdict.Energy, 900), moving.Advance(900, Second));
        EnergyCounter dead = new(null, 2_000, startsAtZero: true);
        Assert.Equal(CounterVerdict.Baseline, dead.Advance(0, 0).Verdict);
        Assert.Equal(CounterVerdict.Baseline, dead.Advance(0, EnergyCounter.FlatNanoseconds - 1).Verdict);
        Assert.Equal(CounterVerdict.FlatZero, dead.Advance(0, EnergyCounter.FlatNanoseconds).Verdict);

        // A part that woke up late: nothing of what it has counted is lost.
        Assert.Equal(new(CounterVerdict.Energy, 61), dead.Advance(61, 60 * Second));
    }

    [Fact]
    public void Advance_RandomLoadsOverRandomRanges_SumEqualsTruth()
    {
        const int seed = 20_261_124;
        Random random = new(seed);
        for (int run = 0; run < 500; run++)
        {
            long range = random.NextInt64(3_000_000_000, 300_000_000_000);
            EnergyCounter counter = new(range, 1_000);
            long truth = random.NextInt64(1, range);
            long start = truth;
            long at = 0;
            long sum = 0;
            _ = counter.Advance(truth % range, at);
            for (int tick = 0; tick < 200; tick++)
            {
                long span = random.NextInt64(50_000_000, 1_200_000_000);
                at += span;
                truth += (long)(random.NextDouble() * 1_000 * span / 1_000);
                CounterStep step = counter.Advance(truth % range, at);
                Assert.True(step.Verdict is CounterVerdict.Energy or CounterVerdict.Wrapped, $"seed {seed} run {run} tick {tick}: {step}");
                sum += step.Microjoules;
            }

            Assert.True(sum == truth - start, $"seed {seed} run {run}: {sum} counted, {truth - start} true");
        }
    }
}
