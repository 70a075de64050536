namespace Keck.Agent;

/// <summary>The machine profile: <c>none</c>, <c>used</c>, <c>stale</c> or <c>unreadable</c>, and why it is not used.</summary>
internal sealed record CalibrationDocument(string State, string? File, string? Hash, DateTime? CreatedAt, string? NotUsedBecause);
