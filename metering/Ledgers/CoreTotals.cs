namespace Keck.Metering;

/// <summary>One process on one CPU: cumulative figures since the epoch, of the meters that follow runs.</summary>
/// <param name="ProcessId">The process's <see cref="ConsumerTotals.Id"/>; null for kernel threads and interrupts (<c>system</c>) and lost time.</param>
/// <param name="Owner">Who owns it: <c>process</c>, <c>system</c>, <c>unattributed</c> or, for processes let go, <c>departed</c>.</param>
/// <param name="Package">The package whose meters the energy comes from; -1 for meters of the whole machine.</param>
/// <param name="Cpu">The CPU; -1 for energy whose CPU is not known (a meter slower than the tick, agent downtime).</param>
/// <param name="Microjoules">Active energy, µJ.</param>
/// <param name="Nanoseconds">CPU time, ns.</param>
/// <param name="KiloCycles">Thousands of cycles; null where the frequency was never known.</param>
public sealed record CoreTotals(string? ProcessId, string Owner, int Package, int Cpu, long Microjoules, long Nanoseconds, long? KiloCycles)
{
    /// <summary>
    /// Instructions retired there, of processes; null where never counted. A thread is counted on all CPUs together: where it ran on several
    /// within a tick, its count goes to them by their time.
    /// </summary>
    public long? Instructions { get; init; }

    /// <summary>Last-level cache misses, likewise.</summary>
    public long? LlcMisses { get; init; }
}
