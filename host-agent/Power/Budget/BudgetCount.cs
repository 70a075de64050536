namespace Keck.Power;

/// <summary>One counter of a budget as <c>keck-guest</c> hands it on: cumulative, from wherever its agent began to count.</summary>
/// <param name="Name">Which: <c>vcpu-0</c>, <c>overhead</c>, <c>dram</c>, <c>static</c>, <c>static-dram</c>.</param>
/// <param name="Microjoules">Energy, µJ; never goes back while the agent keeps its counters.</param>
/// <param name="Below">Sum of how far the truth of each part may lie below, µJ.</param>
/// <param name="Above">How far above, µJ.</param>
public readonly record struct BudgetCount(string Name, long Microjoules, long Below, long Above);
