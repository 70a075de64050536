namespace Keck.Power;

/// <summary>CLOCK_MONOTONIC in ns, through the TimeProvider so that tests can move it.</summary>
/// <param name="time">The system's provider stamps with CLOCK_MONOTONIC in ns on Linux; another one is converted.</param>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly long _frequency = time.TimestampFrequency;

    /// <summary>Now, ns.</summary>
    internal long Nanoseconds
    {
        get
        {
            long timestamp = time.GetTimestamp();
            return _frequency == 1_000_000_000 ? timestamp : (long)((Int128)timestamp * 1_000_000_000 / _frequency);
        }
    }
}
