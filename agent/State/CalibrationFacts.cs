namespace Keck.Agent;

/// <summary>The machine profile that an agent was given, and what became of it.</summary>
/// <param name="State">Whether it is used.</param>
public sealed record CalibrationFacts(CalibrationState State)
{
    /// <summary>The file named; null for none.</summary>
    public string? File { get; init; }

    /// <summary>The profile's hash, hexadecimal SHA-256; null where it could not be read.</summary>
    public string? Hash { get; init; }

    /// <summary>When the commissioning run was; null where unknown.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>Why it is not used, in words; null while it is, and where there is none.</summary>
    public string? NotUsedBecause { get; init; }

    /// <summary>The state's name in the API and in metrics, such as <c>stale</c>.</summary>
    public string StateName => State.ToString().ToLowerInvariant();
}
