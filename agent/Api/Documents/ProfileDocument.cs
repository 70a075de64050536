namespace Keck.Agent;

/// <summary>The profile in force, and what it allows: a step down applies all of it at once.</summary>
internal sealed record ProfileDocument(string Name, string Configured, string Why, long Changes)
{
    /// <summary>The most detailed model allowed.</summary>
    public required string ModelLimit { get; init; }

    /// <summary>Series that history keeps at all resolutions, at most.</summary>
    public int HistorySeries { get; init; }

    /// <summary>Consumers whose last minute is kept, at most.</summary>
    public int RecentSeries { get; init; }

    /// <summary>Pods, and containers, that metrics show one by one, at most.</summary>
    public int MetricSeries { get; init; }
}
