namespace Keck.Metering.Tests;

public sealed class SpanWeightsTests
{
    [Fact]
    public void Add_BeyondTheLimit_HoldsTheRestWithoutOwnersAndCountsIt()
    {
        ProcessTable processes = new();
        SpanWeights span = new(mostParts: 4);
        for (int i = 0; i < 10; i++)
        {
            int row = processes.FindOrAdd(100 + i, 1_000 + i, "p", kernel: false);
            span.Add(row, 0, 1, 2, processes);
            span.Add(row, 0, 1, 2, processes);
        }

        Assert.Equal(12, span.Overflowed);
        Assert.Equal(5, span.Count);
        LeafColumns leaves = new();
        span.MoveTo(leaves, processes);
        Assert.Equal([0, 1, 2, 3, Leaf.UnattributedOwner], leaves.Owners.Items.ToArray());
        Assert.Equal([2, 2, 2, 2, 12.0], leaves.Weights.Items.ToArray());
        Assert.Equal([4, 4, 4, 4, 24.0], leaves.Times.Items.ToArray());
        Assert.Equal(0, span.Count);
    }
}
