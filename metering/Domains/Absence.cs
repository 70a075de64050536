namespace Keck.Metering;

/// <summary>Why there is no value. Absence is never zero.</summary>
public enum Absence
{
    /// <summary>The source does not exist on this machine, or vanished.</summary>
    NotPresent,

    /// <summary>The source exists and may not be read by this process.</summary>
    NotPermitted,

    /// <summary>The source answered with something too old to be used.</summary>
    Stale,

    /// <summary>The source answered with something that cannot be true (garbage, a sentinel, a counter that ran backwards).</summary>
    Malformed,
}
