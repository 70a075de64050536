namespace Keck.Metering;

/// <summary>What the attribution, or somebody, went by in taking something as known.</summary>
public enum AdoptionCause
{
    /// <summary>A window in which the CPUs were idle.</summary>
    Idle,

    /// <summary>A window in which they were busy: a lower envelope, or the machine's own ratio of idle to full power.</summary>
    Busy,

    /// <summary>A machine profile.</summary>
    Profile,

    /// <summary>Consumers of the meter have factors of their own from here on.</summary>
    Signatures,

    /// <summary>Somebody took an adoption back.</summary>
    Undone,

    /// <summary>Somebody had what was known of the meter forgotten.</summary>
    Forgotten,
}
