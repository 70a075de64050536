namespace Keck.Metering.Tests;

public sealed class FactorFilterTests
{
    [Fact]
    public void Observe_ConsumersGoOnAndOff_FindsTheirFactors()
    {
        double[] truth = [1.4, 0.7, 1.0];
        FactorFilter filter = new(3, 0) { Used = 3 };
        var random = new Random(1);
        for (int tick = 0; tick < 300; tick++)
        {
            double[] amounts = [.. truth.Select(_ => random.Next(2) * 100.0)];
            filter.Wander(0.1);
            filter.Observe(amounts, amounts.Zip(truth, (amount, factor) => amount * factor).Sum(), 3);
        }

        for (int i = 0; i < truth.Length; i++)
        {
            Assert.Equal(truth[i], filter.Factors[i], 0.05);
            Assert.InRange(filter.Deviation(i), 0, 0.05);
        }
    }

    [Fact]
    public void Observe_TwoAlwaysTogether_KnowsTheirSumAndNotEach()
    {
        FactorFilter filter = new(2, 0) { Used = 2 };
        for (int tick = 0; tick < 300; tick++)
        {
            filter.Observe([100, 100], 260, 3);
        }

        Assert.Equal(2.6, filter.Factors[0] + filter.Factors[1], 0.05);
        Assert.True(filter.Deviation(0) > 0.15, $"{filter.Deviation(0)}");

        // Who alone may be heavier cannot be told: the part of each is as unsure as its factor.
        double[] variances = new double[2];
        filter.PartVariances([100, 100], variances);
        Assert.True(Math.Sqrt(variances[0]) > 0.1, $"{variances[0]}");
    }

    [Fact]
    public void PartVariances_OnlyOneRuns_IsCertain()
    {
        FactorFilter filter = new(2, 0) { Used = 2 };
        double[] variances = new double[2];
        filter.PartVariances([100, 0], variances);
        Assert.Equal(0, variances[0], 9);
    }

    [Fact]
    public void Observe_Absurd_StaysWithinTheLimits()
    {
        FactorFilter filter = new(1, 0) { Used = 1 };
        double[] absurd = [1e12, double.NaN, -1e12, double.PositiveInfinity];
        for (int tick = 0; tick < 4000; tick++)
        {
            double before = filter.Factors[0], sum = absurd[tick / 1000];
            filter.Wander(10);
            filter.Observe([100], sum, 1);
            Assert.InRange(filter.Factors[0], FactorFilter.Least, FactorFilter.Most);
            Assert.True(double.IsFinite(sum) || filter.Factors[0] == before);
        }

        Assert.Equal(FactorFilter.Least, filter.Factors[0]);
    }

    [Fact]
    public void Limit_StateBelowIt_LiesOnItAndTheOthersFollow()
    {
        // Two states whose sum is known: what the one may not have, the other has.
        FactorFilter filter = new(2, 2) { Used = 2 };
        filter.Set(0, 0, 1);
        filter.Set(1, 0, 1);
        filter.Observe([1, 1], 2, 0.01);
        filter.Observe([1, 0], -1, 1);
        double sum = filter.Factors[0] + filter.Factors[1];
        Assert.True(filter.Factors[0] < 0.8, $"{filter.Factors[0]}");
        filter.Limit(0, 0.9);
        Assert.Equal(0.9, filter.Factors[0]);
        Assert.Equal(sum, filter.Factors[0] + filter.Factors[1], 0.02);

        // Above the limit nothing changes.
        filter.Limit(0, 0.5);
        Assert.Equal(0.9, filter.Factors[0]);
    }

    [Fact]
    public void Observe_AnyObservations_CovarianceStaysSymmetricToTheLastBit()
    {
        FactorFilter filter = new(7, 2) { Used = 7 };
        filter.Set(0, 0, 3);
        Random random = new(5);
        for (int tick = 0; tick < 500; tick++)
        {
            filter.Wander(0.1);
            filter.Fade(1, 0.9, 2);
            filter.Observe([.. Enumerable.Range(0, 7).Select(_ => random.NextDouble() * 1e6)], random.NextDouble() * 5e6, 1e5 * random.NextDouble());
            filter.Limit(0, -0.1);
        }

        for (int i = 0; i < 7; i++)
        {
            for (int j = 0; j < 7; j++)
            {
                Assert.Equal(filter.Covariance[(i * 7) + j], filter.Covariance[(j * 7) + i]);
            }
        }
    }

    [Fact]
    public void PartVariances_SharedStateUnknown_WhoHasMoreOfItIsLessSure()
    {
        // One state that both factors share, as a kind of work that only the first does.
        FactorFilter filter = new(3, 1) { Used = 3 };
        filter.Set(0, 0, 0.3);
        filter.Set(1, 1, 0.01);
        filter.Set(2, 1, 0.01);
        double[] apart = new double[3], alike = new double[3];
        filter.PartVariances([100, 100, 100], [0, 1, 0], 0, apart);
        filter.PartVariances([200, 100, 100], [0, 1, 1], 0, alike);

        // (1 + g) ÷ (2 + g) moves by half of what g does; where both have it, it cancels out.
        Assert.Equal(0.15, Math.Sqrt(apart[1]), 0.01);
        Assert.Equal(0.15, Math.Sqrt(apart[2]), 0.01);
        Assert.True(Math.Sqrt(alike[1]) < 0.01, $"{alike[1]}");
    }

    [Fact]
    public void Doubt_FactorOfUnknownWork_MovesFurther()
    {
        FactorFilter known = new(2, 0) { Used = 2 }, doubted = new(2, 0) { Used = 2 };
        doubted.Doubt(0, 0.5);
        known.Observe([100, 100], 260, 3);
        doubted.Observe([100, 100], 260, 3);
        Assert.Equal(known.Factors[0], known.Factors[1]);
        Assert.True(doubted.Factors[0] > doubted.Factors[1] + 0.2, $"{doubted.Factors[0]} {doubted.Factors[1]}");
    }
}
