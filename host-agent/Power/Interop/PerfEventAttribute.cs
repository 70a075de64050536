using System.Runtime.InteropServices;

namespace Keck.Power.Interop;

/// <summary>
/// <c>struct perf_event_attr</c> of &lt;linux/perf_event.h&gt;, its first published version: 64 bytes (PERF_ATTR_SIZE_VER0).
/// The kernel takes what is missing as zero.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PerfEventAttribute
{
    /// <summary>PERF_ATTR_SIZE_VER0.</summary>
    internal const int Bytes = 64;

    /// <summary>The PMU: <c>type</c>, offset 0.</summary>
    internal uint Type;

    /// <summary>Of this struct: <c>size</c>, offset 4.</summary>
    internal uint Size;

    /// <summary>The event: <c>config</c>, offset 8.</summary>
    internal ulong Config;

    /// <summary><c>sample_period</c>, offset 16: 0, no sampling.</summary>
    internal ulong SamplePeriod;

    /// <summary><c>sample_type</c>, offset 24.</summary>
    internal ulong SampleType;

    /// <summary><c>read_format</c>, offset 32: 0, a read gives one u64.</summary>
    internal ulong ReadFormat;

    /// <summary>The bit field that starts with <c>disabled</c>, offset 40: 0, counting from the start.</summary>
    internal ulong Flags;

    /// <summary><c>wakeup_events</c>, offset 48.</summary>
    internal uint WakeupEvents;

    /// <summary><c>bp_type</c>, offset 52.</summary>
    internal uint BreakpointType;

    /// <summary><c>config1</c>, offset 56.</summary>
    internal ulong Config1;
}
