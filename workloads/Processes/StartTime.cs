namespace Keck.Workloads;

/// <summary>
/// A process's start, which two sources tell unlike: eBPF to the nanosecond, <c>/proc/PID/stat</c> cut to 10 ms.
/// </summary>
internal static class StartTime
{
    /// <summary>A tick of USER_HZ, ns.</summary>
    internal const long TickNanoseconds = 10_000_000;

    /// <summary>An exact start as procfs writes it.</summary>
    internal static long Ticks(long nanoseconds) => nanoseconds / TickNanoseconds;

    /// <summary>Whether this start may be one that procfs has told, which nanoseconds below the tick rule out.</summary>
    internal static bool IsCut(long nanoseconds) => nanoseconds % TickNanoseconds == 0;
}
