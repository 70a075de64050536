using System.Runtime.InteropServices;

namespace Keck.Power.Interop;

/// <summary>The calls of libc that the runtime does not offer.</summary>
internal static partial class LibC
{
    /// <summary>__NR_perf_event_open of &lt;asm/unistd_64.h&gt; (x86-64).</summary>
    internal const nint PerfEventOpenX64 = 298;

    /// <summary>__NR_perf_event_open of &lt;asm-generic/unistd.h&gt; (arm64).</summary>
    internal const nint PerfEventOpenArm64 = 241;

    /// <summary>PERF_FLAG_FD_CLOEXEC of &lt;linux/perf_event.h&gt;.</summary>
    internal const nint CloseOnExec = 8;

    /// <summary>EPERM of &lt;asm-generic/errno-base.h&gt;.</summary>
    internal const int OperationNotPermitted = 1;

    /// <summary>EACCES of &lt;asm-generic/errno-base.h&gt;.</summary>
    internal const int AccessDenied = 13;

    /// <summary>
    /// syscall(2) with perf_event_open's arguments: a descriptor, or -1 with errno: EACCES or EPERM without the right,
    /// ENODEV for a CPU that is offline, ENOENT or EINVAL for an event that the PMU does not have.
    /// </summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial SafePerfEvent PerfEventOpen(nint number, in PerfEventAttribute attribute, nint pid, nint cpu, nint group, nint flags);

    /// <summary>read(2): the bytes read, 0 where the event is in error (its CPU went offline), or -1 with errno.</summary>
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(SafePerfEvent descriptor, out ulong count, nint bytes);

    /// <summary>close(2): 0, or -1 with errno.</summary>
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(nint descriptor);
}
