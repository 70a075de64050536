using System.Net.Sockets;
using Keck.VsockProtocol.Interop;

namespace Keck.VsockProtocol;

/// <summary>Listens on an AF_VSOCK port for every guest of this host.</summary>
public sealed class VsockListener : IChannelListener
{
    private const int Backlog = 64;
    private readonly Socket _socket;

    /// <summary>Listens at once, on every context id of this machine; throws <see cref="ChannelException"/> where it cannot.</summary>
    /// <param name="port">By default <see cref="ChannelProtocol.Port"/>.</param>
    public VsockListener(uint port = ChannelProtocol.Port)
    {
        Socket? socket = null;
        try
        {
            socket = NativeSockets.CreateVsock();
            socket.Bind(new VsockEndPoint(uint.MaxValue, port)); // VMADDR_CID_ANY
            socket.Listen(Backlog);
            Port = NativeSockets.LocalOf(socket).Port;
        }
        catch (Exception e) when (e is SocketException or NativeException)
        {
            socket?.Dispose();
            throw new ChannelException($"cannot listen on vsock port {port}: {e.Message} (modules vsock and vhost_vsock; one agent per host)", e);
        }

        _socket = socket;
    }

    /// <summary>The port that it listens on.</summary>
    public uint Port { get; }

    /// <inheritdoc/>
    public async ValueTask<ChannelConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Socket? accepted = null;
            try
            {
                accepted = await _socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                VsockEndPoint peer = NativeSockets.PeerOf(accepted);
                return ChannelConnection.Over(accepted, new ChannelPeer(ChannelTransport.Vsock, peer.Cid, peer.Port, null));
            }
            catch (Exception e) when (e is NativeException || (e is SocketException { SocketErrorCode: SocketError.ConnectionAborted or SocketError.ConnectionReset }))
            {
                accepted?.Dispose(); // it went away before we looked
            }
            catch (SocketException e)
            {
                throw new ChannelException($"vsock port {Port}: {e.Message}", e);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
