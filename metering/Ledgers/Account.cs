namespace Keck.Metering;

/// <summary>A consumer's account without its energies, which lie in the ledger's columns.</summary>
internal struct Account
{
    internal ConsumerKind Kind;

    /// <summary>Path, container id or pod UID; null for processes, whose identity is their row.</summary>
    internal string? Id;

    /// <summary>The process row, for processes; -1 otherwise.</summary>
    internal int Process;

    /// <summary>Processes booked on this account, for the other kinds: without any it is let go.</summary>
    internal int References;
    internal bool InUse;
    internal BoundSample Bounds;
    internal long CpuNanoseconds;
    internal long Instructions;
    internal long LlcMisses;
    internal bool Counted;
}

/// <summary>Where a process row is booked: its own account and those of the groups it is in.</summary>
internal struct Booking
{
    internal int ProcessPlusOne;
    internal int CgroupPlusOne;
    internal int ContainerPlusOne;
    internal int PodPlusOne;
    internal int MachinePlusOne;

    /// <summary>Start of the process booked, to notice that a row was reused, ns.</summary>
    internal long StartNanoseconds;
    internal string? Cgroup;
    internal string? Container;
    internal string? Pod;
    internal string? Machine;
}

/// <summary>An account's energy on one meter, µJ.</summary>
internal struct AccountEnergy
{
    internal long Active;
    internal long Proportional;

    /// <summary>Of machines only.</summary>
    internal long Allocated;
}
