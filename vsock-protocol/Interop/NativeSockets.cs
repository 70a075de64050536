using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Keck.VsockProtocol.Interop;

/// <summary>Managed sockets over descriptors that .NET cannot make itself. They work with its event loop like any other.</summary>
internal static class NativeSockets
{
    /// <summary>A new AF_VSOCK stream socket, neither bound nor connected.</summary>
    internal static Socket CreateVsock()
    {
        int descriptor = LibC.Socket(LibC.FamilyVsock, LibC.SocketStream | LibC.SocketCloseOnExec, 0);
        return Wrap(descriptor, "socket(AF_VSOCK)");
    }

    /// <summary>A character device or FIFO, read and written without blocking a thread.</summary>
    internal static Socket OpenDevice(string path)
    {
        int descriptor = LibC.Open(path, LibC.OpenReadWrite | LibC.OpenNonBlocking | LibC.OpenNoTerminal | LibC.OpenCloseOnExec);
        return Wrap(descriptor, $"open {path}");
    }

    /// <summary>CID and port that the kernel attests for the other end.</summary>
    internal static unsafe VsockEndPoint PeerOf(Socket socket)
    {
        SockaddrVm address = default;
        uint length = (uint)sizeof(SockaddrVm);
        // SAFETY: both live on this stack frame, and the kernel writes at most the length given.
        return Check(LibC.GetPeerName(socket.SafeHandle, &address, &length), "getpeername", address);
    }

    /// <summary>CID and port of this end.</summary>
    internal static unsafe VsockEndPoint LocalOf(Socket socket)
    {
        SockaddrVm address = default;
        uint length = (uint)sizeof(SockaddrVm);
        // SAFETY: both live on this stack frame, and the kernel writes at most the length given.
        return Check(LibC.GetSocketName(socket.SafeHandle, &address, &length), "getsockname", address);
    }

    private static VsockEndPoint Check(int result, string call, in SockaddrVm address)
    {
        if (result != 0)
        {
            throw new NativeException(call, Marshal.GetLastPInvokeError());
        }

        return address.Family == LibC.FamilyVsock
            ? new VsockEndPoint(address.Cid, address.Port)
            : throw new NativeException($"{call}: not AF_VSOCK but family {address.Family}", 97); // EAFNOSUPPORT
    }

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "the socket owns the handle; disposed of where there is none")]
    private static Socket Wrap(int descriptor, string call)
    {
        if (descriptor < 0)
        {
            throw new NativeException(call, Marshal.GetLastPInvokeError());
        }

        var handle = new SafeSocketHandle(descriptor, ownsHandle: true);
        try
        {
            return new Socket(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
