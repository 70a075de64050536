namespace Keck.Metering;

/// <summary>
/// A leaf is what a share of energy can be split down to: a run, a CPU's interrupt time, lost time, or an owner's earlier ticks.
/// These are the numbers that stand for owners that are no processes, and for places that are no runs.
/// </summary>
internal static class Leaf
{
    /// <summary>Owner that is no process: kernel threads and interrupts.</summary>
    internal const int SystemOwner = -1;

    /// <summary>Owner of energy whose runs are unknown.</summary>
    internal const int UnattributedOwner = -2;

    /// <summary>Place of a CPU's interrupt or lost time; the place of a run is its index in <see cref="Observation.Runs"/>.</summary>
    /// <param name="index">Index in <see cref="Observation.Cpus"/>, from a place or into one.</param>
    internal static int OnCpu(int index) => ~index;
}
