namespace Keck.Agent;

/// <summary>What the API shows beside the agent's state.</summary>
public sealed record ApiOptions
{
    /// <summary>What /metrics may show.</summary>
    public MetricsOptions Metrics { get; init; } = new();

    /// <summary>Live traces streamed at a time; more are refused.</summary>
    /// <value>0 to 16, default 2.</value>
    public int MaxTraces { get; init; } = 2;
}
