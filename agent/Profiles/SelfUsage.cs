namespace Keck.Agent;

/// <summary>What the agent has used and holds.</summary>
/// <param name="CpuNanoseconds">CPU time since its start.</param>
/// <param name="ResidentBytes">Resident memory; null where unknown.</param>
/// <param name="AnonymousBytes">The anonymous part of it; null where unknown.</param>
public readonly record struct SelfUsage(long CpuNanoseconds, long? ResidentBytes, long? AnonymousBytes);
