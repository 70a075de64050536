using System.Runtime.InteropServices;

namespace Keck.Workloads.Interop;

/// <summary>File calls without exceptions: in procfs a missing file is the ordinary case.</summary>
internal static unsafe partial class LibC
{
    internal const int CurrentDirectory = -100;  // <fcntl.h> AT_FDCWD
    internal const int NonBlocking = 0x800;      // <fcntl.h> O_NONBLOCK: a FIFO planted in a directory cannot hang the reader
    internal const int CloseOnExec = 0x80000;    // <fcntl.h> O_CLOEXEC
    internal const uint WantInode = 0x100;       // <linux/stat.h> STATX_INO
    internal const int StatxSize = 256;          // <linux/stat.h> sizeof(struct statx)
    internal const int StatxInode = 32;          // <linux/stat.h> offsetof(struct statx, stx_ino)

    internal const int NotPermitted = 1;         // <errno.h> EPERM
    internal const int NoEntry = 2;              // <errno.h> ENOENT
    internal const int NoProcess = 3;            // <errno.h> ESRCH
    internal const int AccessDenied = 13;        // <errno.h> EACCES
    internal const int NotDirectory = 20;        // <errno.h> ENOTDIR

    /// <summary>open(2): a descriptor, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    internal static partial int Open(byte* path, int flags);

    /// <summary>read(2): bytes read, 0 at the end, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int descriptor, byte* buffer, nuint count);

    /// <summary>close(2): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    /// <summary>statx(2): 0, or -1 with errno set; fills 256 bytes.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    internal static partial int Statx(int directory, byte* path, int flags, uint mask, byte* result);
}
