using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct perf_event_attr of &lt;linux/perf_event.h&gt;, PERF_ATTR_SIZE_VER0: its first 64 bytes, all that counting needs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PerfEventAttribute
{
    /// <summary>PERF_TYPE_*, or the number in a PMU's <c>type</c> file.</summary>
    internal uint Type;

    /// <summary>64: the kernel takes the rest as zero.</summary>
    internal uint Size;

    /// <summary>The event within its type.</summary>
    internal ulong Config;

    internal ulong SamplePeriod;
    internal ulong SampleType;
    internal ulong ReadFormat;

    /// <summary>Bit field; 0 counts user, kernel and idle.</summary>
    internal ulong Flags;

    internal uint WakeupEvents;
    internal uint BreakpointType;
    internal ulong Config1;
}
