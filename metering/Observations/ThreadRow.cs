namespace Keck.Metering;

/// <summary>What part a thread plays in a virtual machine.</summary>
public enum ThreadRole
{
    /// <summary>Not part of a machine.</summary>
    None,

    /// <summary>Runs a vCPU.</summary>
    Vcpu,

    /// <summary>QEMU's main loop and helpers inside the process.</summary>
    Emulator,

    /// <summary>An iothread.</summary>
    Iothread,

    /// <summary>A vhost worker, in the kernel or in the process.</summary>
    Vhost,

    /// <summary>A process that serves the machine (swtpm, virtiofsd).</summary>
    Helper,
}

/// <summary>A thread's identity and place; (tid, start) is unique, tids are reused.</summary>
public struct ThreadRow
{
    /// <summary>Thread id in the initial pid namespace; 0 marks a free row.</summary>
    public int Tid;

    /// <summary>Process id (thread group id).</summary>
    public int Pid;

    /// <summary>Start since boot, ns.</summary>
    public long StartNanoseconds;

    /// <summary>Start of the process's leader since boot, ns: (pid, this) is the process; 0 where unknown.</summary>
    public long ProcessStartNanoseconds;

    /// <summary>Inode of the cgroup (v2) the thread was in when first seen; 0 where unknown.</summary>
    public ulong CgroupId;

    /// <summary>The kernel's comm, 15 bytes at most.</summary>
    public string Name;

    /// <summary>Whether it is a kernel thread.</summary>
    public bool Kernel;

    /// <summary>Row in the <see cref="ProcessTable"/>; -1 until resolved.</summary>
    public int Process;

    /// <summary>What it does for a machine.</summary>
    public ThreadRole Role;

    /// <summary>Which vCPU, for <see cref="ThreadRole.Vcpu"/>.</summary>
    public int Vcpu;

    /// <summary>
    /// Who owns what it uses: its process's row, <see cref="Leaf.SystemOwner"/> or <see cref="Leaf.UnattributedOwner"/>. A kernel
    /// thread is the system's, but for a vhost worker, which is of the machine it serves.
    /// </summary>
    internal readonly int Owner =>
        Kernel && Role != ThreadRole.Vhost ? Leaf.SystemOwner : Process >= 0 ? Process : Kernel ? Leaf.SystemOwner : Leaf.UnattributedOwner;

    /// <summary>The ledger's cell of the CPU this thread ran on first in its last tick: a cache, -1 when empty.</summary>
    internal int FirstCell;

    /// <summary>The same for the last of several CPUs.</summary>
    internal int LastCell;
}
