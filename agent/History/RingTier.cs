namespace Keck.Agent;

/// <summary>One resolution of a ring.</summary>
/// <param name="StepSeconds">A row per this many seconds; the last record within a step wins, which is exact for cumulative values.</param>
/// <param name="Rows">How many rows are kept.</param>
public readonly record struct RingTier(int StepSeconds, int Rows);
