namespace Keck.Agent;

/// <summary>Whether instructions, cycles and misses are counted by thread.</summary>
public enum CounterState
{
    /// <summary>Nobody counts them: the profile asks for none, or they cannot be had here.</summary>
    None,

    /// <summary>They are counted.</summary>
    Counted,

    /// <summary>Others use the CPUs' counters too, so that what is counted is not known and not used.</summary>
    Multiplexed,
}
