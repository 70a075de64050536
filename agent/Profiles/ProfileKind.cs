namespace Keck.Agent;

/// <summary>How much the agent may cost; a lower value costs less.</summary>
public enum ProfileKind
{
    /// <summary>About 10 MB, 1,000 processes, one tick a second, time model, no Kestrel.</summary>
    Minimal,

    /// <summary>About 50 MB, 10,000 processes, two ticks a second, frequency model.</summary>
    Standard,

    /// <summary>About 200 MB, 100,000 processes, ten ticks a second, full model.</summary>
    Full,
}
