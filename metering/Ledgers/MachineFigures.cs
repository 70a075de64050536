namespace Keck.Metering;

/// <summary>What a machine may be told of its energy: cumulative in its account, µJ. Filled again by each reading.</summary>
public sealed class MachineFigures
{
    /// <summary>Number of the account: within one the figures never go back.</summary>
    public long Series { get; internal set; }

    /// <summary>Active energy of each vCPU on the meters that follow runs.</summary>
    public Column<long> Vcpus { get; } = new();

    /// <summary>Active energy of its other threads on the same meters.</summary>
    public long Overhead { get; internal set; }

    /// <summary>Active energy of memory.</summary>
    public long Dram { get; internal set; }

    /// <summary>Its part of the static energy of the meters that follow runs, by the policy asked for.</summary>
    public long PackageStatic { get; internal set; }

    /// <summary>Its part of memory's static energy, by the policy asked for.</summary>
    public long DramStatic { get; internal set; }

    /// <summary>95 % bounds of all its active energy.</summary>
    public BoundSample Bounds { get; internal set; }

    /// <summary>All its active energy.</summary>
    public long Active { get; internal set; }

    /// <summary>The worst quality of the meters it has energy from.</summary>
    public ReadingQuality Quality { get; internal set; }

    /// <summary>The origin of the same.</summary>
    public EnergyOrigin Origin { get; internal set; }

    /// <summary>The lower bound of a part of the active energy: as far below it as all of it may be, in proportion.</summary>
    public long Low(long part) => Active == 0 ? part : Math.Min(part, (long)Math.Floor(part * (Bounds.Low(Active) / (double)Active)));

    /// <summary>The upper bound of a part of the active energy.</summary>
    public long High(long part) => Active == 0 ? part : Math.Max(part, (long)Math.Ceiling(part * (Bounds.High(Active) / (double)Active)));
}
