using Keck.Metering;

namespace Keck.Workloads;

/// <summary>What the scanner found out about a process, on its way to the tick thread: all it knows, whenever any of it changed.</summary>
internal struct ProcessFact
{
    /// <summary>Process id.</summary>
    internal int Pid;

    /// <summary>Start since boot in ticks of 10 ms: (pid, this) says which process with that pid is meant.</summary>
    internal long StartTicks;

    /// <summary>The leader's comm.</summary>
    internal string Name;

    /// <summary>cgroup path; null where it could not be read.</summary>
    internal string? Cgroup;

    /// <summary>Proportional set size, KiB; <see cref="Unobserved.Value"/> where unknown.</summary>
    internal long PssKibibytes;

    /// <summary>Whether it is a kernel thread.</summary>
    internal bool Kernel;

    /// <summary>Whether procfs no longer has it.</summary>
    internal bool Gone;
}
