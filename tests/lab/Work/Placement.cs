namespace Keck.Lab;

/// <summary>Where the scheduler lets a thread run.</summary>
public enum Placement
{
    /// <summary>On one CPU.</summary>
    Pinned,

    /// <summary>On the least loaded of a few, looked at now and then.</summary>
    Floating,

    /// <summary>Moved every few tens of milliseconds.</summary>
    Migrating,
}
