namespace Keck.Metering.Tests;

public sealed class WorkKindTests
{
    [Theory]
    [InlineData(1_000_000, 1_000_000, 0)]
    [InlineData(300_000, 900_000, 1_234)]
    [InlineData(90_000_000, 1_000_000, 90_000_000)]
    [InlineData(20_000, 1_000_000_000, 0)]
    public void AddTo_AnyKind_LosesNothingAndLiesWhereOfLooks(long instructions, long cycles, long misses)
    {
        WorkKind kind = WorkKind.Of(Counted(instructions, cycles, misses));
        double[] points = new double[WorkKind.Count];
        kind.AddTo(points, 7);
        Assert.Equal(7, points.Sum(), 9);
        Assert.All(points, point => Assert.InRange(point, 0, 7));

        // What the kind costs is the same mean over its points.
        double[] costs = [.. Enumerable.Range(0, WorkKind.Count).Select(point => point * 0.1)];
        Assert.Equal(points.Zip(costs, (amount, cost) => amount * cost).Sum() / 7, kind.Of(costs), 9);
    }

    [Theory]
    [InlineData(-1, 1_000_000, 0)]
    [InlineData(9_999, 1_000_000, 0)]
    [InlineData(1_000_000, 0, 0)]
    [InlineData(1_000_000, 1_000_000, -1)]
    public void Of_CountsThatSayNothing_IsNoKind(long instructions, long cycles, long misses)
    {
        WorkKind kind = WorkKind.Of(Counted(instructions, cycles, misses));
        double[] points = new double[WorkKind.Count];
        kind.AddTo(points, 7);
        Assert.All(points, point => Assert.Equal(0, point));
        Assert.Equal(0, kind.Of([.. Enumerable.Repeat(1.0, WorkKind.Count)]));
    }

    [Fact]
    public void Likeness_FurtherApart_IsLess()
    {
        Assert.Equal(1, WorkKind.Likeness(12, 12));
        Assert.Equal(WorkKind.Likeness(12, 13), WorkKind.Likeness(13, 12));
        Assert.True(WorkKind.Likeness(12, 13) > WorkKind.Likeness(12, 14));
        Assert.True(WorkKind.Likeness(12, 13) > WorkKind.Likeness(12, 18));
    }

    private static ThreadSample Counted(long instructions, long cycles, long misses) => new() { Instructions = instructions, Cycles = cycles, LlcMisses = misses };
}
