namespace Keck.Metering;

/// <summary>A span on the monotonic clock in nanoseconds; wall-clock steps do not touch it.</summary>
/// <param name="Nanoseconds">Whole nanoseconds.</param>
public readonly record struct MonotonicSpan(long Nanoseconds)
{
    /// <summary>For display and derived power only: seconds as a floating-point number.</summary>
    public double Seconds => Nanoseconds / 1e9;

    /// <summary>The span with its unit, such as <c>1500 ns</c>.</summary>
    public override string ToString() => $"{Nanoseconds} ns";
}
