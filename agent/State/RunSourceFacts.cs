namespace Keck.Agent;

/// <summary>How well the run source sees; a member is null where the source does not count it.</summary>
/// <param name="Name">The source: <c>ebpf</c>, <c>schedstat</c>, <c>trace</c>.</param>
public sealed record RunSourceFacts(string Name)
{
    /// <summary>Whether instructions, cycles and misses are counted.</summary>
    public CounterState Counters { get; init; }

    /// <summary>Context switches seen.</summary>
    public long? Switches { get; init; }

    /// <summary>Context switches that the probe missed (made good at the thread's next switch).</summary>
    public long? MissedSwitches { get; init; }

    /// <summary>Time for which no slot was free or no thread was found, ns; its energy is <c>unattributed</c>.</summary>
    public long? LostNanoseconds { get; init; }

    /// <summary>The part of <see cref="LostNanoseconds"/> of threads that came and went between switches that the probe missed, ns.</summary>
    public long? UnplacedNanoseconds { get; init; }

    /// <summary>Drains of a CPU at which another thread ran than the one on record.</summary>
    public long? UnconfirmedCuts { get; init; }

    /// <summary>Accounting slots in use.</summary>
    public long? SlotsUsed { get; init; }

    /// <summary>Accounting slots there are.</summary>
    public long? SlotLimit { get; init; }
}
