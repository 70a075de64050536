namespace Keck.Metering;

/// <summary>Energy that follows runs and is no run's of a package: of an owner whose CPU is not known, or of a CPU's interrupt and lost time on a meter of the whole machine.</summary>
public struct OffCoreShare
{
    /// <summary>A process row; -1 system, -2 unattributed.</summary>
    public int Owner;

    /// <summary>The meter's package; -1 for a meter of the whole machine.</summary>
    public int Package;

    /// <summary>The CPU, where it is known; -1 otherwise.</summary>
    public int Cpu;

    /// <summary>The energy, µJ.</summary>
    public long Microjoules;
}
