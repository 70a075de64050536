namespace Keck.Agent;

/// <summary>What a guest said last, in short.</summary>
internal sealed record GuestSummaryDocument(DateTime At, ulong? Interval, int Consumers, long? RestMicrojoules);
