namespace Keck.Metering;

/// <summary>What a share of energy can be split down to: a run, a CPU's interrupt time, lost time, or an owner's earlier ticks.</summary>
internal struct Leaf
{
    /// <summary>Owner that is no process: kernel threads and interrupts.</summary>
    internal const int SystemOwner = -1;

    /// <summary>Owner of energy whose runs are unknown.</summary>
    internal const int UnattributedOwner = -2;

    /// <summary>A process row, or one of the owners above.</summary>
    internal int Owner;

    /// <summary>Index into <see cref="Observation.Runs"/>; -1 for interrupts, lost time and earlier ticks.</summary>
    internal int Run;

    /// <summary>Index into <see cref="Observation.Cpus"/> for interrupts and lost time; -1 otherwise.</summary>
    internal int CpuIndex;

    /// <summary>What meters cover the CPU by: its package, or the CPU itself where meters are of single CPUs (a guest's vCPUs); -1 where unknown.</summary>
    internal int Zone;

    /// <summary>Weight under the tick's model.</summary>
    internal double Weight;

    /// <summary>Weight by time alone: the difference is part of the bounds.</summary>
    internal double Time;
}
