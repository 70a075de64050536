using Keck.Bpf.Interop;

namespace Keck.Bpf;

/// <summary>One CPU at one instant, and what has been reported of it.</summary>
internal struct CpuSnapshot
{
    /// <summary>The record as it was.</summary>
    internal CpuRecord Record;

    /// <summary>The instant on the CPU's clock (rq->clock), ns.</summary>
    internal ulong Instant;

    /// <summary>Length of the running slice, ns: provisional.</summary>
    internal ulong InFlight;

    /// <summary>Part of that with the sibling busy, ns.</summary>
    internal ulong InFlightShared;

    /// <summary>The running thread's settled entry for this CPU at the same instant.</summary>
    internal EntryShadow Settled;

    /// <summary>The next CPU + 1 whose snapshot has the same slot running.</summary>
    internal int NextOfSlot;

    /// <summary>Whether this drain has a snapshot.</summary>
    internal bool Taken;

    /// <summary>Whether earlier values are there to subtract.</summary>
    internal bool Based;

    /// <summary>The instant of the drain before.</summary>
    internal ulong LastInstant;

    /// <summary>Idle time reported, ns.</summary>
    internal ulong IdleReported;

    /// <summary>Lost time reported, ns.</summary>
    internal ulong LostReported;

    /// <summary>rq->clock − rq->clock_task at the drain before: interrupt and steal time as the kernel counts it.</summary>
    internal ulong LastBehind;

    /// <summary>Wall time not yet owned by threads, idle or steal: becomes interrupt time once it is positive.</summary>
    internal long Rest;

    /// <summary>Idle time at the drain before, ns.</summary>
    internal ulong LastIdle;

    /// <summary>Lost time at the drain before, ns.</summary>
    internal ulong LastLost;

    /// <summary>Unplaced time at the drain before, ns.</summary>
    internal long LastUnplaced;

    /// <summary>Time of threads that came and went unseen in this drain, ns; negative where they brought earlier time home.</summary>
    internal long Unplaced;

    /// <summary>What <see cref="Unplaced"/> rose by in all drains, ns; never falls.</summary>
    internal long UnplacedSum;

    /// <summary>Length of this drain on the CPU's clock, ns.</summary>
    internal long Wall;

    /// <summary>Wall − threads − lost − idle − interrupt and steal as the kernel counts them, ns: how far the CPU is from closing.</summary>
    internal long Open;

    /// <summary>Wall time of all drains, ns.</summary>
    internal long WallSum;

    /// <summary>What all drains left open, ns.</summary>
    internal long OpenSum;
}
