namespace Keck.Bpf.Tests;

public sealed class CounterTurnsTests
{
    private const ulong Second = 1_000_000_000;

    [Fact]
    public void Look_AnEventWaitedForItsTurn_IsSeenAndOverWhenItCountsWholeAgain()
    {
        using SyntheticMemory memory = new(cpus: 2, slots: 8) { Times = [(Second, Second), (Second, Second), null] };
        CounterTurns turns = new(memory);
        turns.Look();
        Assert.False(turns.Taken);

        // A second later the other event had to wait for a tenth of it.
        memory.Times[0] = (2 * Second, 2 * Second);
        memory.Times[1] = (2 * Second, (2 * Second) - (Second / 10));
        turns.Look();
        Assert.True(turns.Taken);

        // Two more seconds, in which it counted whole; it has not made good what it missed.
        memory.Times[1] = (4 * Second, (4 * Second) - (Second / 10));
        turns.Look();
        Assert.False(turns.Taken);
    }

    [Fact]
    public void Look_CpuIsOffline_IsNoTurn()
    {
        using SyntheticMemory memory = new(cpus: 1, slots: 8) { Times = [(Second, Second)] };
        CounterTurns turns = new(memory);
        turns.Look();
        turns.Look();
        Assert.False(turns.Taken);
    }

    [Fact]
    public void Look_ManyEvents_AreLookedAtInParts()
    {
        using SyntheticMemory memory = new(cpus: 1, slots: 8) { Times = [.. Enumerable.Repeat(((ulong, ulong)?)(Second, Second), 250)] };
        CounterTurns turns = new(memory);
        memory.Times[249] = (Second, 0);
        turns.Look();
        Assert.Equal((CounterTurns.EachLook, false), (memory.Looked, turns.Taken));
        turns.Look();
        turns.Look();
        Assert.True(turns.Taken);
    }

    [Fact]
    public void Look_NoEvents_IsNoTurn()
    {
        using SyntheticMemory memory = new(cpus: 1, slots: 8);
        CounterTurns turns = new(memory);
        turns.Look();
        Assert.False(turns.Taken);
    }
}
