namespace Keck.Agent;

/// <summary>How a metric is meant.</summary>
internal enum MetricType
{
    /// <summary>Only grows within an epoch.</summary>
    Counter,

    /// <summary>A momentary value.</summary>
    Gauge,
}
