namespace Keck.Guest.Tests;

/// <summary>A clock that moves when told.</summary>
internal sealed class FakeTime : TimeProvider
{
    private long _now = 1_000_000_000_000;

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp() => _now;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_now / 100);

    internal void Advance(TimeSpan by) => _now += (long)by.TotalNanoseconds;
}
