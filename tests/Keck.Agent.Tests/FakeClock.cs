namespace Keck.Agent.Tests;

/// <summary>A clock that stands until it is moved; the wall clock may step apart from the monotonic one.</summary>
internal sealed class FakeClock : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 11, 24, 5, 0, 0, TimeSpan.Zero);
    private TimeSpan _elapsed;
    private TimeSpan _wallStep;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _elapsed.Ticks;

    public override DateTimeOffset GetUtcNow() => Start + _elapsed + _wallStep;

    internal void Advance(TimeSpan by) => _elapsed += by;

    internal void StepWall(TimeSpan by) => _wallStep += by;
}
