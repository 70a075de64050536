namespace Keck.Bpf;

/// <summary>A perf event: see perf_event_open(2).</summary>
/// <param name="Type">PERF_TYPE_*: 0 hardware, 1 software, or a PMU's number from /sys/bus/event_source/devices/PMU/type.</param>
/// <param name="Config">Which event of that type.</param>
public readonly record struct PerfCounter(uint Type, ulong Config)
{
    /// <summary>PERF_COUNT_HW_INSTRUCTIONS.</summary>
    public static PerfCounter Instructions => new(0, 1);

    /// <summary>PERF_COUNT_HW_CPU_CYCLES.</summary>
    public static PerfCounter Cycles => new(0, 0);

    /// <summary>PERF_COUNT_HW_CACHE_MISSES: last-level cache.</summary>
    public static PerfCounter LlcMisses => new(0, 3);
}
