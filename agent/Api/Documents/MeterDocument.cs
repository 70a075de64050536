namespace Keck.Agent;

/// <summary>One meter, selected or not.</summary>
internal sealed record MeterDocument
{
    public required string Id { get; init; }

    public required string Domain { get; init; }

    public int? Package { get; init; }

    public int? Core { get; init; }

    public required string Origin { get; init; }

    public required string Quality { get; init; }

    public required bool Selected { get; init; }

    public string? NotSelectedBecause { get; init; }

    public string? Path { get; init; }

    public long? QuantumMicrojoules { get; init; }

    /// <summary>Since the agent started, µJ.</summary>
    public long? EnergyMicrojoules { get; init; }

    public long? Low { get; init; }

    public long? High { get; init; }

    /// <summary>At the last reading.</summary>
    public double? PowerWatts { get; init; }

    public double? PowerLowWatts { get; init; }

    public double? PowerHighWatts { get; init; }

    public double? AgeSeconds { get; init; }

    /// <summary>Why the last reading has no value: <c>notPresent</c>, <c>notPermitted</c>, <c>stale</c>, <c>malformed</c>.</summary>
    public string? Absent { get; init; }

    public string? LastError { get; init; }

    public long Errors { get; init; }
}
