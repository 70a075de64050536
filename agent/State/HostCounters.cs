namespace Keck.Agent;

/// <summary>Counters of /proc/stat.</summary>
/// <param name="Forks"><c>processes</c>: forks since boot.</param>
/// <param name="ContextSwitches"><c>ctxt</c>: context switches since boot.</param>
/// <param name="Running"><c>procs_running</c>.</param>
/// <param name="Blocked"><c>procs_blocked</c>.</param>
public sealed record HostCounters(long Forks, long ContextSwitches, long Running, long Blocked);
