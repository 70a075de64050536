using System.Net.Sockets;

namespace Keck.Agent;

/// <summary>The file of a unix socket: cleared of what a killed agent left behind, never of one that lives.</summary>
internal static class UnixSocketFile
{
    // sun_path of sockaddr_un (linux/un.h) holds 108 bytes with the final NUL.
    private const int MaxPathBytes = 107;

    /// <summary>Makes way for a new socket.</summary>
    /// <exception cref="ListenException">Something lives there, or is no socket, or the place cannot be used.</exception>
    internal static void Clear(string path)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
        {
            throw new ListenException($"unix socket {path}: the path is longer than {MaxPathBytes} bytes");
        }

        try
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (!File.Exists(path))
            {
                return;
            }

            if (!IsDeadSocket(path))
            {
                throw new ListenException($"unix socket {path} is in use: another agent serves there; stop it or give another path");
            }

            File.Delete(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ListenException($"unix socket {path} cannot be made: {failure.Message}", failure);
        }
    }

    /// <summary>Owner and group may connect.</summary>
    internal static void Restrict(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }
    }

    private static bool IsDeadSocket(string path)
    {
        // A file that is no socket refuses a connection as a dead socket does: tell them apart by type first.
        if (new FileInfo(path) is { Length: > 0 } || (File.GetAttributes(path) & FileAttributes.Directory) != 0 || !IsSocket(path))
        {
            throw new ListenException($"unix socket {path}: a file that is no socket is in the way; move it or give another path");
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return false;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // A socket cannot be opened (ENXIO); a file can. Read-write, so that a FIFO does not wait for a writer.
    private static bool IsSocket(string path)
    {
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
