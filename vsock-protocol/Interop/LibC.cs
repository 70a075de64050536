using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Keck.VsockProtocol.Interop;

/// <summary>The C library calls that AF_VSOCK and character devices need.</summary>
internal static unsafe partial class LibC
{
    internal const int FamilyVsock = 40;             // <bits/socket.h> AF_VSOCK
    internal const int SocketStream = 1;             // <bits/socket_type.h> SOCK_STREAM
    internal const int SocketCloseOnExec = 0x80000;  // <bits/socket_type.h> SOCK_CLOEXEC
    internal const int OpenReadWrite = 2;            // <fcntl.h> O_RDWR
    internal const int OpenNoTerminal = 0x100;       // <fcntl.h> O_NOCTTY
    internal const int OpenNonBlocking = 0x800;      // <fcntl.h> O_NONBLOCK
    internal const int OpenCloseOnExec = 0x80000;    // <fcntl.h> O_CLOEXEC

    /// <summary>socket(2): a new descriptor, or -1 with errno set. (A SafeHandle as the result would take the 32-bit -1 for a valid 64-bit handle.)</summary>
    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);

    /// <summary>getpeername(2): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "getpeername", SetLastError = true)]
    internal static partial int GetPeerName(SafeSocketHandle socket, SockaddrVm* address, uint* length);

    /// <summary>getsockname(2): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    internal static partial int GetSocketName(SafeSocketHandle socket, SockaddrVm* address, uint* length);

    internal const int AtWorkingDirectory = -100;    // <fcntl.h> AT_FDCWD
    internal const uint StatxWantOwner = 0x18;       // <linux/stat.h> STATX_UID | STATX_GID

    /// <summary>statx(2): 0, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Statx(int directory, string path, int flags, uint mask, StatxOwner* buffer);

    /// <summary>lchown(2): 0, or -1 with errno set (EPERM without CAP_CHOWN).</summary>
    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Lchown(string path, uint owner, uint group);

    /// <summary>open(2): a new descriptor, or -1 with errno set.</summary>
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags);
}
