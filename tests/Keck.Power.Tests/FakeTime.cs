namespace Keck.Power.Tests;

/// <summary>A monotonic clock in ns that moves when told.</summary>
internal sealed class FakeTime : TimeProvider
{
    private long _now = 1_000_000_000_000;

    public override long TimestampFrequency => 1_000_000_000;

    internal long Now => _now;

    public override long GetTimestamp() => _now;

    internal void Advance(double seconds) => _now += (long)(seconds * 1e9);
}
