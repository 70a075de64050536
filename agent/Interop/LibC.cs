using System.Runtime.InteropServices;

namespace Keck.Agent.Interop;

/// <summary>Calls of the C library that .NET does not offer.</summary>
internal static partial class LibC
{
    /// <summary>EINTR of asm-generic/errno-base.h: a signal came before anything was done.</summary>
    internal const int Interrupted = 4;

    /// <summary>EPIPE of asm-generic/errno-base.h: nobody reads any more. An <see cref="IOException"/> carries it as its HResult.</summary>
    internal const int BrokenPipe = 32;

    /// <summary>MADV_DONTNEED of asm-generic/mman-common.h: the pages are let go; of a file mapping they are read again when touched.</summary>
    internal const int DontNeed = 4;

    /// <summary>TCSANOW of asm-generic/termbits-common.h: at once, whatever is still to be written.</summary>
    internal const int Now = 0;

    /// <summary>PR_SET_NAME of linux/prctl.h.</summary>
    internal const int SetName = 15;

    /// <summary>TIOCGWINSZ of asm-generic/ioctls.h.</summary>
    internal const nuint GetWindowSize = 0x5413;

    /// <summary>SIGSTOP of asm-generic/signal.h (x86, ARM, RISC-V).</summary>
    internal const int StopSignal = 19;

    /// <summary>W_OK of unistd.h.</summary>
    internal const int MayWrite = 2;

    /// <summary>access(2): whether this user may; 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Access(string path, int mode);

    /// <summary>kill(2): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);

    /// <summary>write(2), where the descriptor stands: the bytes taken, which may be fewer, or -1 with errno set (EPIPE: nobody reads; ENOSPC: the disk is full).</summary>
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int descriptor, ReadOnlySpan<byte> bytes, nuint length);

    /// <summary>tcgetattr(3): the settings of a terminal; 0, or -1 with errno set (ENOTTY: it is none).</summary>
    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    internal static partial int GetTerminal(int descriptor, out TerminalSettings settings);

    /// <summary>tcsetattr(3): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    internal static partial int SetTerminal(int descriptor, int when, in TerminalSettings settings);

    /// <summary>ioctl(2) with <see cref="GetWindowSize"/>: 0, or -1 with errno set (ENOTTY: it is no terminal).</summary>
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int TerminalControl(int descriptor, nuint request, out WindowSize size);

    /// <summary>sched_setaffinity(2) of sched.h: the CPUs that a thread may run on, a bit each; 0 for the calling thread. 0, or -1 with errno set (EINVAL: none of them is there, or allowed).</summary>
    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    internal static partial int SetAffinity(int thread, nuint length, ReadOnlySpan<byte> mask);

    /// <summary>prctl(2) with <see cref="SetName"/>: names the calling thread, 15 bytes and a zero at most; 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    internal static partial int ThreadControl(int operation, ReadOnlySpan<byte> name);

    /// <summary>madvise(2): advice about a range that starts on a page; 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int MemoryAdvice(nint start, nuint length, int advice);
}
