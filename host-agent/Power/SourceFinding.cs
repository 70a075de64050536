using System.Collections.Immutable;

namespace Keck.Power;

/// <summary>What <c>doctor</c> says about one source.</summary>
/// <param name="Name">The source's name, such as <c>rapl</c>.</param>
/// <param name="Ok">Whether it gives readings.</param>
/// <param name="Found">What is there, in a sentence.</param>
public sealed record SourceFinding(string Name, bool Ok, string Found)
{
    /// <summary>The capability or permission it needs, least first; null where none.</summary>
    public string? Needs { get; init; }

    /// <summary>Commands that mend it, the one that gives away least first; empty where nothing is wrong or nothing helps.</summary>
    public ImmutableArray<string> Mends { get; init; } = [];
}
