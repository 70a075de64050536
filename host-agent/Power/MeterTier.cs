namespace Keck.Power;

/// <summary>How often a source is worth reading; the profile turns it into a period.</summary>
public enum MeterTier
{
    /// <summary>At every tick, on the tick's own thread: its reads take microseconds and cannot hang.</summary>
    Fast,

    /// <summary>Every 500 ms or so, on a thread of its own: a read may take milliseconds, or hang.</summary>
    Medium,

    /// <summary>Every 3 s or more, on a thread of its own: the device is asked over a bus or a network.</summary>
    Slow,
}
