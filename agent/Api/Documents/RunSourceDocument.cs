namespace Keck.Agent;

/// <summary>How well the run source sees.</summary>
internal sealed record RunSourceDocument(
    string Name, long? Switches, long? MissedSwitches, double? LostSeconds, double? UnplacedSeconds, long? UnconfirmedCuts, long? SlotsUsed, long? SlotLimit);
