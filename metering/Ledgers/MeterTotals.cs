namespace Keck.Metering;

/// <summary>
/// One selected meter's cumulative figures since the epoch, µJ.
/// <c>Total = Σ processes' active + SystemActive + UnattributedActive + DepartedActive + Overhead + IdleSeparate</c>, always.
/// </summary>
public sealed record MeterTotals
{
    /// <summary>The meter.</summary>
    public required Meter Meter { get; init; }

    /// <summary>Whether it is attributed now; one of another origin may have had the same id before, and keeps its own totals.</summary>
    public bool Current { get; init; }

    /// <summary>All its energy.</summary>
    public long Total { get; init; }

    /// <summary>How far the truth may lie below <see cref="Total"/> by the readings' own word, 95 %; the source's factors come on top.</summary>
    public long Below { get; init; }

    /// <summary>How far above.</summary>
    public long Above { get; init; }

    /// <summary>The lower 95 % bound of <see cref="Total"/>.</summary>
    public long Low => Math.Max(0, (long)Math.Floor(Total * Meter.LowFactor) - Below);

    /// <summary>The upper 95 % bound of <see cref="Total"/>.</summary>
    public long High => (long)Math.Ceiling(Total * Meter.HighFactor) + Above;

    /// <summary>The static part.</summary>
    public long Static { get; init; }

    /// <summary>Active energy of kernel threads and interrupts.</summary>
    public long SystemActive { get; init; }

    /// <summary>Their part of the static energy under <see cref="IdlePolicy.Proportional"/>.</summary>
    public long SystemProportional { get; init; }

    /// <summary>Active energy whose runs are unknown.</summary>
    public long UnattributedActive { get; init; }

    /// <summary>Its part of the static energy under <see cref="IdlePolicy.Proportional"/>.</summary>
    public long UnattributedProportional { get; init; }

    /// <summary>In a guest: what the hypervisor spent on this machine outside its vCPUs.</summary>
    public long Overhead { get; init; }

    /// <summary>What is left to <c>idle</c> under <see cref="IdlePolicy.Separate"/>.</summary>
    public long IdleSeparate { get; init; }

    /// <summary>What is left to <c>idle</c> under <see cref="IdlePolicy.Proportional"/>.</summary>
    public long IdleProportional { get; init; }

    /// <summary>What is left to <c>idle</c> under <see cref="IdlePolicy.Allocated"/>.</summary>
    public long IdleAllocated { get; init; }

    /// <summary>Active energy of processes that ended and were let go.</summary>
    public long DepartedActive { get; init; }

    /// <summary>Their part of the static energy under <see cref="IdlePolicy.Proportional"/>.</summary>
    public long DepartedProportional { get; init; }

    /// <summary>Static energy allocated to machines whose accounts were let go.</summary>
    public long DepartedAllocated { get; init; }

    /// <summary>95 % bounds of <see cref="SystemActive"/>.</summary>
    public BoundSample SystemBounds { get; init; }

    /// <summary>95 % bounds of <see cref="UnattributedActive"/>.</summary>
    public BoundSample UnattributedBounds { get; init; }

    /// <summary>95 % bounds of <see cref="IdleSeparate"/>.</summary>
    public BoundSample IdleBounds { get; init; }

    /// <summary>95 % bounds of <see cref="DepartedActive"/>.</summary>
    public BoundSample DepartedBounds { get; init; }

    /// <summary>95 % bounds of <see cref="Total"/>.</summary>
    public BoundSample TotalBounds => new() { SystematicBelow = Total - Low, SystematicAbove = High - Total };

    /// <summary>How far a part of <see cref="Total"/> is off where the meter is, whoever has it.</summary>
    public BoundSample Common(long microjoules) => TotalBounds.Along(microjoules, Total);

    /// <summary>Ticks in which the meter was read.</summary>
    public long Readings { get; init; }

    /// <summary>95 % bounds of a part of the static energy, whoever bears it: they are off together, by the same ratio.</summary>
    public BoundSample StaticBounds(long microjoules) => IdleBounds.Along(microjoules, IdleSeparate);

    /// <summary>What is left to <c>idle</c> under a policy.</summary>
    public long Idle(IdlePolicy policy) => policy switch
    {
        IdlePolicy.Proportional => IdleProportional,
        IdlePolicy.Allocated => IdleAllocated,
        _ => IdleSeparate,
    };
}
