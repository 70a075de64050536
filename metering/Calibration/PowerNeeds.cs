namespace Keck.Metering;

/// <summary>What a power model asks of the observation, most first.</summary>
public enum PowerNeeds
{
    /// <summary>Instructions, cycles and misses of the threads, and their frequency.</summary>
    Counters,

    /// <summary>Frequency alone.</summary>
    Frequency,

    /// <summary>Time alone.</summary>
    Time,
}
