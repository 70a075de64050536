namespace Keck.Agent;

/// <summary>What has become of a host's calibration.</summary>
public enum CalibrationState
{
    /// <summary>No machine profile is configured.</summary>
    None,

    /// <summary>The profile is in use.</summary>
    Used,

    /// <summary>The profile is of a machine that is not this one any more; it is not used.</summary>
    Stale,

    /// <summary>The file cannot be read, or is no profile, or was changed; it is not used.</summary>
    Unreadable,
}
