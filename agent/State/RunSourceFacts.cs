namespace Keck.Agent;

/// <summary>How well the run source sees; a member is null where the source does not count it.</summary>
/// <param name="Name">The source: <c>ebpf</c>, <c>schedstat</c>, <c>trace</c>.</param>
public sealed record RunSourceFacts(string Name)
{
    /// <summary>Context switches seen.</summary>
    public long? Switches { get; init; }

    /// <summary>Context switches that the probe missed (made good at the thread's next switch).</summary>
    public long? MissedSwitches { get; init; }

    /// <summary>Time for which no slot was free, ns; its energy is <c>unattributed</c>.</summary>
    public long? LostNanoseconds { get; init; }

    /// <summary>Accounting slots in use.</summary>
    public long? SlotsUsed { get; init; }

    /// <summary>Accounting slots there are.</summary>
    public long? SlotLimit { get; init; }
}
