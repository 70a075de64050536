using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>What a replay went through.</summary>
public sealed record ReplaySummary
{
    /// <summary>The trace's header.</summary>
    public required TraceHeader Header { get; init; }

    /// <summary>Ticks replayed.</summary>
    public required long Ticks { get; init; }

    /// <summary>Time covered.</summary>
    public required MonotonicSpan Length { get; init; }

    /// <summary>Energy of each selected meter over all ticks, by id.</summary>
    public required ImmutableSortedDictionary<string, Microjoules> Energy { get; init; }

    /// <summary>The idle policy used.</summary>
    public required IdlePolicy Idle { get; init; }

    /// <summary>Where and how the trace is cut short, in words; null where it is whole.</summary>
    public string? Cut { get; init; }
}
