using System.Runtime.InteropServices;

namespace Keck.Virt.Interop;

/// <summary>File calls without exceptions: in procfs a missing file is the ordinary case.</summary>
internal static unsafe partial class LibC
{
    internal const int NonBlocking = 0x800;      // <fcntl.h> O_NONBLOCK
    internal const int CloseOnExec = 0x80000;    // <fcntl.h> O_CLOEXEC

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
}
