namespace Keck.Agent;

/// <summary>The profile in force.</summary>
internal sealed record ProfileDocument(string Name, string Configured, string Why, long Changes);
