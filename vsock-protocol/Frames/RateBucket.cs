namespace Keck.VsockProtocol;

/// <summary>A token bucket: so much a second on average, and a burst of so much at once. Not thread-safe.</summary>
internal sealed class RateBucket
{
    private readonly double _perSecond;
    private readonly double _burst;
    private readonly TimeProvider _time;
    private double _level;
    private long _stamp;

    internal RateBucket(double perSecond, double burst, TimeProvider time)
    {
        (_perSecond, _burst, _time, _level) = (perSecond, burst, time, burst);
        _stamp = time.GetTimestamp();
    }

    /// <summary>Takes an amount, or nothing and false where the bucket does not hold it.</summary>
    internal bool TryTake(int amount)
    {
        long now = _time.GetTimestamp();
        _level = Math.Min(_burst, _level + (_time.GetElapsedTime(_stamp, now).TotalSeconds * _perSecond));
        _stamp = now;
        if (_level < amount)
        {
            return false;
        }

        _level -= amount;
        return true;
    }
}
