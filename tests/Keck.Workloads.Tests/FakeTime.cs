namespace Keck.Workloads.Tests;

/// <summary>A monotonic clock in ns that moves only by hand, or by a step at each look.</summary>
internal sealed class FakeTime : TimeProvider
{
    internal long Now { get; set; } = 1_000_000_000;

    internal long StepPerLook { get; set; }

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp() => Now += StepPerLook;

    internal void Advance(TimeSpan span) => Now += (long)span.TotalNanoseconds;
}
