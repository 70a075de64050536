namespace Keck.Metering.Tests;

public sealed class IntegerSplitTests
{
    private const int Seed = 20261124;

    [Fact]
    public void Split_RandomCases_SharesAddUpAndStayWithinOneOfExact()
    {
        var random = new Random(Seed);
        for (int round = 0; round < 20_000; round++)
        {
            ulong[] weights = Weights(random);
            long total = random.NextInt64(0, round % 3 == 0 ? long.MaxValue : 1L << random.Next(1, 50));
            (long[] shares, bool owned) = Split(total, weights);
            UInt128 sum = weights.Aggregate((UInt128)0, (s, w) => s + w);
            Assert.Equal(sum != 0, owned);
            if (!owned)
            {
                Assert.All(shares, share => Assert.Equal(0, share));
                continue;
            }

            Assert.True(total == shares.Sum(), $"seed {Seed}, round {round}: {shares.Sum()} of {total}");
            for (int i = 0; i < weights.Length; i++)
            {
                long floor = (long)((UInt128)(ulong)total * weights[i] / sum);
                Assert.InRange(shares[i], floor, floor + 1);
            }
        }
    }

    [Fact]
    public void Split_RandomCases_EqualsTheTextbookLargestRemainder()
    {
        var random = new Random(Seed + 1);
        for (int round = 0; round < 5_000; round++)
        {
            ulong[] weights = Weights(random);
            long total = random.NextInt64(0, 1L << random.Next(1, 62));
            Assert.Equal(Textbook(total, weights), Split(total, weights).Shares);
        }
    }

    [Fact]
    public void Split_EqualWeights_LeftoversGoToTheLowestIndices() =>
        Assert.Equal([3, 3, 2, 2], Split(10, [7, 7, 7, 7]).Shares);

    [Fact]
    public void Split_ZeroWeight_GetsNothing() =>
        Assert.Equal([0, 10, 0], Split(10, [0, 3, 0]).Shares);

    [Fact]
    public void Split_NegativeTotal_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Split(-1, [1]));

    [Fact]
    public void Split_OrderOfConsumers_DoesNotMatterWhereRemaindersDiffer()
    {
        ulong[] weights = [5, 17, 31, 2, 90];
        long[] shares = Split(1_000_003, weights).Shares;
        long[] reversed = Split(1_000_003, [.. Enumerable.Reverse(weights)]).Shares;
        Assert.Equal(shares, Enumerable.Reverse(reversed));
    }

    private static (long[] Shares, bool Owned) Split(long total, ulong[] weights)
    {
        long[] shares = new long[weights.Length];
        bool owned = IntegerSplit.Split(total, weights, shares, new ulong[weights.Length]);
        return (shares, owned);
    }

    private static ulong[] Weights(Random random)
    {
        ulong[] weights = new ulong[random.Next(1, 40)];
        int bits = random.Next(1, 60);
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = random.Next(5) == 0 ? 0 : (ulong)random.NextInt64(0, 1L << bits);
        }

        return weights;
    }

    // The definition, slowly: floors, then one each by remainder, ties by index.
    private static long[] Textbook(long total, ulong[] weights)
    {
        UInt128 sum = weights.Aggregate((UInt128)0, (s, w) => s + w);
        long[] shares = new long[weights.Length];
        if (sum == 0)
        {
            return shares;
        }

        for (int i = 0; i < weights.Length; i++)
        {
            shares[i] = (long)((UInt128)(ulong)total * weights[i] / sum);
        }

        foreach (int i in Enumerable.Range(0, weights.Length)
            .OrderByDescending(i => (UInt128)(ulong)total * weights[i] % sum).ThenBy(i => i)
            .Take((int)(total - shares.Sum())))
        {
            shares[i]++;
        }

        return shares;
    }
}
