namespace Keck.Metering;

/// <summary>Who pays static energy. One policy per report, named on it.</summary>
public enum IdlePolicy
{
    /// <summary>Nobody: it stays with the consumer <c>idle</c>.</summary>
    Separate,

    /// <summary>Everybody in proportion to active energy; with nobody active it stays with <c>idle</c>.</summary>
    Proportional,

    /// <summary>Machines by their size in vCPUs and memory; the rest stays with <c>idle</c>.</summary>
    Allocated,
}
