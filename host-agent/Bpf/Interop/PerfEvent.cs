namespace Keck.Bpf.Interop;

/// <summary>Counting perf events on a whole CPU.</summary>
internal static unsafe class PerfEvent
{
    private const int CloseOnExec = 8; // <linux/perf_event.h> PERF_FLAG_FD_CLOEXEC

    private const int TotalTimes = 3; // PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING

    /// <summary>Opens an event on one CPU for all its tasks; null where the kernel has no such event, the CPU is offline, or it is not permitted.</summary>
    internal static SafeDescriptor? Open(uint type, ulong config, int cpu) => Open(type, config, cpu, 0);

    /// <summary>The same, to be read with <see cref="ReadTimes"/>.</summary>
    internal static SafeDescriptor? OpenTimed(uint type, ulong config, int cpu) => Open(type, config, cpu, TotalTimes);

    private static SafeDescriptor? Open(uint type, ulong config, int cpu, ulong format)
    {
        PerfEventAttribute attribute = new() { Type = type, Size = (uint)sizeof(PerfEventAttribute), Config = config, ReadFormat = format };
        // SAFETY: attribute lives on this stack frame for the call and says its own size.
        nint descriptor = LibC.PerfEventOpen(LibC.PerfEventOpenNumber, &attribute, -1, cpu, -1, CloseOnExec);
        return descriptor < 0 ? null : new SafeDescriptor(descriptor);
    }

    /// <summary>How long a timed event was wanted, and how long it counted, ns: less, where others wanted the same counter; null where it cannot be read.</summary>
    internal static (ulong Wanted, ulong Counted)? ReadTimes(SafeDescriptor descriptor)
    {
        ulong* values = stackalloc ulong[3];
        // SAFETY: values is 24 bytes, which is what a counting event with both times returns: value, time_enabled, time_running.
        return LibC.Read((int)descriptor.DangerousGetHandle(), values, 3 * sizeof(ulong)) == 3 * sizeof(ulong) ? (values[1], values[2]) : null;
    }

    /// <summary>The event's count; null where it cannot be read.</summary>
    internal static ulong? Read(SafeDescriptor descriptor)
    {
        ulong value;
        // SAFETY: value is 8 bytes, which is what a counting event without read_format returns.
        return LibC.Read((int)descriptor.DangerousGetHandle(), &value, sizeof(ulong)) == sizeof(ulong) ? value : null;
    }
}
