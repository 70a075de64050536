namespace Keck.Agent;

/// <summary>How well the run source sees.</summary>
internal sealed record RunSourceDocument(
    string Name, long? Switches, long? MissedSwitches, double? LostSeconds, long? SlotsUsed, long? SlotLimit);
