namespace Keck.Metering;

/// <summary>Energy that follows runs, of an owner whose CPU is not known.</summary>
public struct OffCoreShare
{
    /// <summary>A process row; -1 system, -2 unattributed.</summary>
    public int Owner;

    /// <summary>The meter's package; -1 for a meter of the whole machine.</summary>
    public int Package;

    /// <summary>The meter's CPU, where it is of one; -1 otherwise.</summary>
    public int Cpu;

    /// <summary>The energy, µJ.</summary>
    public long Microjoules;
}
