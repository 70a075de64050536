namespace Keck.Host.Tests;

/// <summary>The real clock, which a test may set forward; timers are real.</summary>
internal sealed class SkippingTime : TimeProvider
{
    private long _skipped;

    public override long TimestampFrequency => System.TimestampFrequency;

    public override long GetTimestamp() => System.GetTimestamp() + Interlocked.Read(ref _skipped);

    internal void Skip(TimeSpan by) => Interlocked.Add(ref _skipped, (long)(by.TotalSeconds * TimestampFrequency));
}
