namespace Keck.Agent;

/// <summary>One metric: a row of the table that the exposition and docs/metrics.md are made from.</summary>
/// <param name="Name">Family name, without the <c>_total</c> of counters.</param>
/// <param name="Type">Counter or gauge.</param>
/// <param name="Unit">The unit, which the name ends in; null for none.</param>
/// <param name="Labels">Its labels, comma-separated.</param>
/// <param name="Help">What it says.</param>
/// <param name="Collect">Writes its samples.</param>
internal sealed record MetricDefinition(
    string Name, MetricType Type, string? Unit, string Labels, string Help, Action<MetricScrape, ExpositionWriter> Collect)
{
    /// <summary>Whether the name of a counter is given by others and has no <c>_total</c>.</summary>
    internal bool Verbatim { get; init; }

    /// <summary>The name of its samples.</summary>
    internal string SampleName => Type == MetricType.Counter && !Verbatim ? Name + "_total" : Name;
}
