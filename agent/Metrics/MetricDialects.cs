namespace Keck.Agent;

/// <summary>Names of other exporters, for dashboards that exist.</summary>
[Flags]
public enum MetricDialects
{
    /// <summary>Own names only.</summary>
    None = 0,

    /// <summary>Kepler 0.11's names.</summary>
    Kepler = 1,

    /// <summary>Scaphandre 1.0's names.</summary>
    Scaphandre = 2,
}
