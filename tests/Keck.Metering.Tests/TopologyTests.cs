namespace Keck.Metering.Tests;

public sealed class TopologyTests
{
    private static readonly Topology Whole = Machines.Topology(2, 2, smt: false);

    [Fact]
    public void Remembering_CpuGone_KnowsItsPackageAndChangesNeither()
    {
        Topology left = new(Whole.Cpus.Take(3), Whole.BaseFrequency) { MemoryKibibytes = 7 };
        Topology remembering = left.Remembering(Whole);
        Assert.Equal((1, -1), (remembering.Package(3), left.Package(3)));
        Assert.Null(remembering.Place(3));
        Assert.Equal([new OfflineCpu(3, 1)], remembering.Offline);
        Assert.Empty(left.Offline);
        Assert.Empty(Whole.Offline);
        Assert.Equal((7, 3, 3), (remembering.MemoryKibibytes, remembering.Cpus.Length, remembering.CpuLimit));
    }

    [Fact]
    public void Remembering_GoneOneAfterTheOther_KnowsBoth()
    {
        Topology three = new Topology(Whole.Cpus.Take(3), null).Remembering(Whole);
        Topology two = new Topology(Whole.Cpus.Take(2), null).Remembering(three);
        Assert.Equal([new OfflineCpu(2, 1), new OfflineCpu(3, 1)], two.Offline);
    }

    [Fact]
    public void Remembering_BackOnline_IsNoLongerOffline()
    {
        Topology three = new Topology(Whole.Cpus.Take(3), null).Remembering(Whole);
        Topology back = new Topology(Whole.Cpus, null);
        Assert.Same(back, back.Remembering(three));
        Assert.Equal(1, back.Package(3));
    }
}
