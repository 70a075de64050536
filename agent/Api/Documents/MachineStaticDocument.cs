namespace Keck.Agent;

/// <summary>A machine's static energy by policy, µJ.</summary>
internal sealed record MachineStaticDocument(long Proportional, long Allocated);
