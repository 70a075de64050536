namespace Keck.Agent;

/// <summary>How the run source is chosen.</summary>
public enum RunSourceChoice
{
    /// <summary>eBPF where it can be had, else the fallback.</summary>
    Auto,

    /// <summary>eBPF or nothing: refuses to start without it.</summary>
    Ebpf,

    /// <summary>cgroup and schedstat accounting.</summary>
    Schedstat,
}
