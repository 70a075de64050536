namespace Keck.Agent;

/// <summary>A phase of the tick loop.</summary>
/// <param name="Name">In a word: <c>meters</c>, <c>drain</c>, <c>attribute</c>, <c>ledger</c>, <c>outlets</c>.</param>
/// <param name="Nanoseconds">How long it took in the last tick.</param>
public readonly record struct TickPhase(string Name, long Nanoseconds);
