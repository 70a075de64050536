namespace Keck.Metering;

/// <summary>One meter's energy over one tick, by owners that are no processes. µJ.</summary>
public struct MeterShares
{
    /// <summary>Whether the meter was read in this tick; without a reading there is nothing to own.</summary>
    public bool Observed;

    /// <summary>How far from the tick's end the meter was read, ns.</summary>
    public long ReadSkewNanoseconds;

    /// <summary>The meter's energy.</summary>
    public long Total;

    /// <summary>How far the truth may lie below it by the readings' own word, 95 %.</summary>
    public long Below;

    /// <summary>How far above.</summary>
    public long Above;

    /// <summary>The static part of it.</summary>
    public long Static;

    /// <summary>Active energy of kernel threads and interrupts.</summary>
    public long SystemActive;

    /// <summary>Their part of the static energy under <see cref="IdlePolicy.Proportional"/>.</summary>
    public long SystemProportional;

    /// <summary>Active energy whose runs are unknown.</summary>
    public long UnattributedActive;

    /// <summary>Its part of the static energy under <see cref="IdlePolicy.Proportional"/>.</summary>
    public long UnattributedProportional;

    /// <summary>In a guest: what the hypervisor spent on this machine outside its vCPUs, and nobody inside can be charged for.</summary>
    public long Overhead;

    /// <summary>What is left to <c>idle</c> under <see cref="IdlePolicy.Separate"/>: the static part, and active energy that nobody ran for.</summary>
    public long IdleSeparate;

    /// <summary>What is left to <c>idle</c> under <see cref="IdlePolicy.Proportional"/>.</summary>
    public long IdleProportional;

    /// <summary>What is left to <c>idle</c> under <see cref="IdlePolicy.Allocated"/>.</summary>
    public long IdleAllocated;

    /// <summary>95 % bounds of <see cref="SystemActive"/>.</summary>
    public BoundSample SystemBounds;

    /// <summary>95 % bounds of <see cref="UnattributedActive"/>.</summary>
    public BoundSample UnattributedBounds;

    /// <summary>95 % bounds of <see cref="IdleSeparate"/>.</summary>
    public BoundSample IdleBounds;
}
