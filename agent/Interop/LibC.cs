using System.Runtime.InteropServices;

namespace Keck.Agent.Interop;

/// <summary>Calls of the C library that .NET does not offer.</summary>
internal static partial class LibC
{
    /// <summary>MADV_DONTNEED of asm-generic/mman-common.h: the pages are let go; of a file mapping they are read again when touched.</summary>
    internal const int DontNeed = 4;

    /// <summary>madvise(2): advice about a range that starts on a page; 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int MemoryAdvice(nint start, nuint length, int advice);
}
