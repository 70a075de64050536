namespace Keck.Bpf.Interop;

/// <summary>Counting perf events on a whole CPU.</summary>
internal static unsafe class PerfEvent
{
    private const int CloseOnExec = 8; // <linux/perf_event.h> PERF_FLAG_FD_CLOEXEC

    /// <summary>Opens an event on one CPU for all its tasks; null where the kernel has no such event, the CPU is offline, or it is not permitted.</summary>
    internal static SafeDescriptor? Open(uint type, ulong config, int cpu)
    {
        PerfEventAttribute attribute = new() { Type = type, Size = (uint)sizeof(PerfEventAttribute), Config = config };
        // SAFETY: attribute lives on this stack frame for the call and says its own size.
        nint descriptor = LibC.PerfEventOpen(LibC.PerfEventOpenNumber, &attribute, -1, cpu, -1, CloseOnExec);
        return descriptor < 0 ? null : new SafeDescriptor(descriptor);
    }

    /// <summary>The event's count; null where it cannot be read.</summary>
    internal static ulong? Read(SafeDescriptor descriptor)
    {
        ulong value;
        // SAFETY: value is 8 bytes, which is what a counting event without read_format returns.
        return LibC.Read((int)descriptor.DangerousGetHandle(), &value, sizeof(ulong)) == sizeof(ulong) ? value : null;
    }
}
