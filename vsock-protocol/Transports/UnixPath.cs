using System.Net.Sockets;
using System.Text;

namespace Keck.VsockProtocol;

/// <summary>The limits of a unix socket's path.</summary>
internal static class UnixPath
{
    /// <summary><c>sizeof(sun_path)</c> − 1 of &lt;sys/un.h&gt;, bytes.</summary>
    internal const int MaxBytes = 107;

    /// <summary>The address of a path; throws <see cref="ChannelException"/> where the kernel could not take it.</summary>
    internal static UnixDomainSocketEndPoint EndPoint(string path)
    {
        if (Fault(path) is { } fault)
        {
            throw new ChannelException($"unix:{path}: {fault}");
        }

        return new UnixDomainSocketEndPoint(path);
    }

    /// <summary>What is wrong with a path, or null.</summary>
    internal static string? Fault(string path)
    {
        if (!path.StartsWith('/') || path.EndsWith('/') || path.Contains('\0', StringComparison.Ordinal))
        {
            return "the path must be absolute and name a file";
        }

        int bytes = Encoding.UTF8.GetByteCount(path);
        return bytes > MaxBytes ? $"the path has {bytes} bytes, and the kernel takes {MaxBytes} for a socket: use a shorter one" : null;
    }

    /// <summary>Removes a socket file that a killed agent left behind; throws <see cref="ChannelException"/> where anything else is in the way.</summary>
    internal static void ClearStale(string path)
    {
        if (!Path.Exists(path))
        {
            return;
        }

        if (!IsSocket(path))
        {
            throw new ChannelException($"cannot listen on unix:{path}: a file that is no socket is in the way");
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            // Its queue is full, so somebody listens.
        }

        throw new ChannelException($"cannot listen on unix:{path}: another process listens there");
    }

    // A socket cannot be opened (ENXIO), a file can; read and write, so that a FIFO does not wait for a writer.
    private static bool IsSocket(string path)
    {
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false; // a directory, or not ours to replace
        }
        catch (IOException)
        {
            return true;
        }
    }
}
