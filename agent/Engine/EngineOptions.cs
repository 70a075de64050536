namespace Keck.Agent;

/// <summary>How the tick loop runs; from the profile.</summary>
public sealed record EngineOptions
{
    /// <summary>How many ended processes are kept for outlets that have not seen them; beyond it the oldest are let go early, and counted.</summary>
    /// <value>At least 100; default 500.</value>
    public int EndedProcessLimit { get; init; } = 500;
}
