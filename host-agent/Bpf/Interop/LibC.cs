using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>The C library calls that mapped BPF memory and perf events need.</summary>
internal static unsafe partial class LibC
{
    internal const int ProtRead = 1;        // <sys/mman.h> PROT_READ
    internal const int ProtWrite = 2;       // <sys/mman.h> PROT_WRITE
    internal const int MapShared = 1;       // <sys/mman.h> MAP_SHARED
    internal const int ClockMonotonic = 1;  // <time.h> CLOCK_MONOTONIC

    /// <summary>mmap(2): the address, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    /// <summary>munmap(2): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static partial int Unmap(nint address, nuint length);

    /// <summary>close(2): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(nint descriptor);

    /// <summary>read(2): bytes read, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int descriptor, void* buffer, nuint count);

    /// <summary>clock_gettime(2): 0, or -1 with errno set. A vDSO call: no transition needed.</summary>
    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    internal static partial int ClockGetTime(int clock, Timespec* time);

    /// <summary>vsnprintf(3): length of the text; <paramref name="arguments"/> is a va_list handed on untouched.</summary>
    [LibraryImport("libc", EntryPoint = "vsnprintf")]
    internal static partial int Format(byte* buffer, nuint size, byte* format, nint arguments);

    /// <summary>statx(2): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatX(int folder, string path, int flags, uint mask, byte* result);

    /// <summary>perf_event_open(2) through syscall(2): a descriptor, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint PerfEventOpen(nint number, PerfEventAttribute* attribute, nint pid, nint cpu, nint group, nint flags);

    /// <summary>__NR_perf_event_open of this architecture (asm/unistd.h).</summary>
    internal static nint PerfEventOpenNumber => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 241 : 298;

    /// <summary>CLOCK_MONOTONIC in nanoseconds: the clock that bpf_ktime_get_ns reads.</summary>
    internal static long MonotonicNanoseconds()
    {
        Timespec time;
        // SAFETY: time lives on this stack frame and clock_gettime writes 16 bytes into it.
        _ = ClockGetTime(ClockMonotonic, &time);
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }
}
