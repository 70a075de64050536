using System.Net.Sockets;
using Keck.VsockProtocol.Interop;

namespace Keck.VsockProtocol;

/// <summary>
/// Listens on a unix socket. With <see cref="HybridVsock"/> it is the host's end of one machine's hybrid vsock (Firecracker, Cloud
/// Hypervisor, vhost-device-vsock): what the guest opens to CID 2 arrives there, and the path says which machine it is.
/// </summary>
public sealed class UnixListener : IChannelListener
{
    private const int Backlog = 16;
    private readonly Socket _socket;
    private readonly string _path;

    /// <summary>Listens at once; a socket file that nobody listens on any more is replaced, any other file refused.</summary>
    /// <param name="path">Absolute path of the socket.</param>
    /// <param name="mode">Who may connect. The virtual machine monitor's user must be able to write to it.</param>
    public UnixListener(string path, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        ArgumentNullException.ThrowIfNull(path);
        UnixDomainSocketEndPoint address = UnixPath.EndPoint(path);
        _path = path;
        _socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            UnixPath.ClearStale(path);
            _socket.Bind(address);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, mode); // nobody is let in before Listen
            }

            _socket.Listen(Backlog);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            _socket.Dispose();
            throw e as ChannelException ?? new ChannelException($"cannot listen on unix:{path}: {e.Message}", e);
        }
    }

    /// <summary>
    /// Listens beside a machine's hybrid vsock socket, for the user whose that socket is: the virtual machine monitor's, and nobody else's,
    /// since the path is what says which machine comes.
    /// </summary>
    /// <param name="vsockSocket">The monitor's socket; it must be there.</param>
    public static UnixListener Beside(string vsockSocket)
    {
        ArgumentNullException.ThrowIfNull(vsockSocket);
        string path = HybridVsock(vsockSocket);
        var listener = new UnixListener(path);
        try
        {
            NativeFiles.GiveToOwnerOf(path, vsockSocket);
            return listener;
        }
        catch (NativeException e)
        {
            listener._socket.Dispose();
            throw new ChannelException($"cannot let the owner of {vsockSocket} in at unix:{path}: {e.Message}", e);
        }
    }

    /// <summary>Where the host listens for a machine whose VMM was given <paramref name="vsockSocket"/> as its hybrid vsock socket: <c>…_19269</c>.</summary>
    public static string HybridVsock(string vsockSocket) => $"{vsockSocket}_{ChannelProtocol.Port}";

    /// <inheritdoc/>
    public async ValueTask<ChannelConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                Socket accepted = await _socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                return ChannelConnection.Over(accepted, new ChannelPeer(ChannelTransport.Unix, null, null, _path));
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionAborted or SocketError.ConnectionReset)
            {
                // It went away before we looked.
            }
            catch (SocketException e)
            {
                throw new ChannelException($"unix:{_path}: {e.Message}", e);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _socket.Dispose(); // takes its file with it
        return ValueTask.CompletedTask;
    }
}
