namespace Keck.VsockProtocol;

/// <summary>
/// Waits between attempts: doubling from the first to the longest, each drawn from the upper half of its range, so that the guests
/// of a host that was restarted do not come back all at once. Not thread-safe.
/// </summary>
public sealed class Backoff
{
    private readonly TimeSpan _first;
    private readonly TimeSpan _longest;
    private readonly Random _random;
    private TimeSpan _range;

    /// <summary>Begins at the first wait.</summary>
    /// <param name="first">Range of the first wait; above zero.</param>
    /// <param name="longest">No wait is longer; at least <paramref name="first"/>.</param>
    /// <param name="random">The jitter.</param>
    public Backoff(TimeSpan first, TimeSpan longest, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(first, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, first);
        (_first, _longest, _random, _range) = (first, longest, random, first);
    }

    /// <summary>How long to wait now: from half of the range up to the range, which then doubles.</summary>
    public TimeSpan Next()
    {
        TimeSpan wait = _range * (0.5 + (0.5 * _random.NextDouble()));
        _range = _range * 2 < _longest ? _range * 2 : _longest;
        return wait;
    }

    /// <summary>The next wait is a first one again.</summary>
    public void Reset() => _range = _first;
}
