namespace Keck.Agent;

/// <summary>Counters of /proc/stat, a few seconds old at most; what a kernel does not tell is null.</summary>
/// <param name="Forks"><c>processes</c>: forks since boot.</param>
/// <param name="ContextSwitches"><c>ctxt</c>: context switches since boot.</param>
/// <param name="Running"><c>procs_running</c>.</param>
/// <param name="Blocked"><c>procs_blocked</c>.</param>
public sealed record HostCounters(long? Forks, long? ContextSwitches, long? Running, long? Blocked)
{
    /// <summary>Busy part of all CPUs since the reading before, 0 to 1; null where unknown. Stolen time is not busy.</summary>
    public double? CpuUsageRatio { get; init; }
}
