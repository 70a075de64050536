namespace Keck.Agent;

/// <summary>What /metrics may show.</summary>
public sealed record MetricsOptions
{
    /// <summary>Processes shown one by one, those with the most energy; <c>--expose-processes top:N</c>.</summary>
    /// <value>0 to 10,000; default 0.</value>
    public int TopProcesses { get; init; }

    /// <summary>Dialects that <c>?expose=</c> may ask for; <c>--expose kepler,scaphandre</c>.</summary>
    /// <value>Default none.</value>
    public MetricDialects Dialects { get; init; }

    /// <summary>Pods, and containers, shown one by one.</summary>
    /// <value>From the profile.</value>
    public int SeriesLimit { get; init; } = AgentProfile.Standard.MetricSeriesLimit;
}
