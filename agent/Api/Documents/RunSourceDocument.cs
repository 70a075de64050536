namespace Keck.Agent;

/// <summary>How well the run source sees.</summary>
internal sealed record RunSourceDocument(
    string Name, long? Switches, long? MissedSwitches, double? LostSeconds, double? UnplacedSeconds, long? UnconfirmedCuts, long? SlotsUsed, long? SlotLimit)
{
    /// <summary>Instructions, cycles and misses by thread: <c>none</c>, <c>counted</c> or <c>multiplexed</c>, and then not used.</summary>
    public required string Counters { get; init; }
}
