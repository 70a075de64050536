namespace Keck.Metering;

/// <summary>Time that a thread ran or a CPU was busy, in nanoseconds, as the scheduler's <c>sum_exec_runtime</c> counts it.</summary>
/// <param name="Nanoseconds">Whole nanoseconds.</param>
public readonly record struct CpuTime(long Nanoseconds)
{
    /// <summary>For display only: seconds as a floating-point number.</summary>
    public double Seconds => Nanoseconds / 1e9;

    /// <summary>Adds two times; throws on overflow.</summary>
    public static CpuTime operator +(CpuTime a, CpuTime b) => new(a.Nanoseconds + b.Nanoseconds);

    /// <summary>The difference of two times; throws on overflow.</summary>
    public static CpuTime operator -(CpuTime a, CpuTime b) => new(a.Nanoseconds - b.Nanoseconds);

    /// <summary>The time with its unit, such as <c>1500 ns</c>.</summary>
    public override string ToString() => $"{Nanoseconds} ns";
}
