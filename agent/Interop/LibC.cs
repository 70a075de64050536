using System.Runtime.InteropServices;

namespace Keck.Agent.Interop;

/// <summary>Calls of the C library that .NET does not offer.</summary>
internal static partial class LibC
{
    /// <summary>MADV_DONTNEED of asm-generic/mman-common.h: the pages are let go; of a file mapping they are read again when touched.</summary>
    internal const int DontNeed = 4;

    /// <summary>TCSADRAIN of asm-generic/termbits-common.h: when what was written is out.</summary>
    internal const int WhenWritten = 1;

    /// <summary>tcgetattr(3): the settings of a terminal; 0, or -1 with errno set (ENOTTY: it is none).</summary>
    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    internal static partial int GetTerminal(int descriptor, out TerminalSettings settings);

    /// <summary>tcsetattr(3): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    internal static partial int SetTerminal(int descriptor, int when, in TerminalSettings settings);

    /// <summary>madvise(2): advice about a range that starts on a page; 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int MemoryAdvice(nint start, nuint length, int advice);
}
