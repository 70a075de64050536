namespace Keck.Metering;

/// <summary>A process's identity, place and memory; (pid, start) is unique.</summary>
public struct ProcessRow
{
    /// <summary>Process id in the initial pid namespace; 0 marks a free row.</summary>
    public int Pid;

    /// <summary>Start since boot, ns, as the leader's thread.</summary>
    public long StartNanoseconds;

    /// <summary>The leader's comm; a thread's comm until the leader is known.</summary>
    public string Name;

    /// <summary>cgroup path from its mount's root, such as <c>/system.slice/ssh.service</c>; null where unknown.</summary>
    public string? Cgroup;

    /// <summary>Container id (64 hex digits), or null outside containers.</summary>
    public string? Container;

    /// <summary>Pod UID as Kubernetes writes it, or null outside pods.</summary>
    public string? PodUid;

    /// <summary>Proportional set size, KiB; <see cref="Unobserved.Value"/> where unknown.</summary>
    public long PssKibibytes;

    /// <summary>Whether it is a kernel thread.</summary>
    public bool Kernel;

    /// <summary>Index in <see cref="Observation.Machines"/> of the machine it belongs to; -1 for none.</summary>
    public int Machine;

    /// <summary>Threads of it in the <see cref="ThreadTable"/>.</summary>
    public int LiveThreads;

    /// <summary>Whether the kernel or procfs said that it is gone.</summary>
    public bool Ended;

    /// <summary>Whether a member changed since the trace was last written.</summary>
    public bool Changed;

    /// <summary>Whether its descriptive members (cgroup, container) have been looked up.</summary>
    public bool Described;
}
