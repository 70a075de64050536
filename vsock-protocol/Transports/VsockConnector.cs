using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using Keck.VsockProtocol.Interop;

namespace Keck.VsockProtocol;

/// <summary>
/// Connects over AF_VSOCK from a source port below 1024: that is how the host tells root of the guest from any process in it.
/// </summary>
/// <param name="cid">The context id to connect to: 2 is the host.</param>
/// <param name="port">Its port.</param>
/// <param name="random">Chooses where the search for a free source port begins.</param>
public sealed class VsockConnector(uint cid, uint port, Random random) : IChannelConnector
{
    private const int LowestSourcePort = 512; // below are ports that services are given by name

    /// <inheritdoc/>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "the connection owns the socket; disposed of where there is none")]
    public async ValueTask<ChannelConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        Socket socket = BindPrivileged();
        try
        {
            await socket.ConnectAsync(new VsockEndPoint(cid, port), cancellationToken).ConfigureAwait(false);
            VsockEndPoint peer = NativeSockets.PeerOf(socket);
            return ChannelConnection.Over(socket, new ChannelPeer(ChannelTransport.Vsock, peer.Cid, peer.Port, null));
        }
        catch (Exception e) when (e is SocketException or NativeException)
        {
            socket.Dispose();
            throw new ChannelException($"vsock:{cid}:{port}: {e.Message} (is the host agent running, and does the machine have a vsock device?)", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A socket that is bound to a free source port below 1024 and not connected.</summary>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "returned, or disposed of where it is not")]
    internal Socket BindPrivileged()
    {
        Socket socket = Create();
        int ports = (int)ChannelProtocol.FirstUnprivilegedPort - LowestSourcePort;
        int first = random.Next(ports);
        for (int i = 0; i < ports; i++)
        {
            uint source = (uint)(LowestSourcePort + ((first + i) % ports));
            try
            {
                socket.Bind(new VsockEndPoint(uint.MaxValue, source)); // VMADDR_CID_ANY
                return socket;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Somebody has this one: try the next.
            }
            catch (SocketException e)
            {
                socket.Dispose();
                throw new ChannelException(
                    $"vsock: cannot take a source port below {ChannelProtocol.FirstUnprivilegedPort}: {e.Message}; the host accepts no others: run as root or with CAP_NET_BIND_SERVICE", e);
            }
        }

        socket.Dispose();
        throw new ChannelException($"vsock: every source port from {LowestSourcePort} to {ChannelProtocol.FirstUnprivilegedPort - 1} is taken");
    }

    private static Socket Create()
    {
        try
        {
            return NativeSockets.CreateVsock();
        }
        catch (NativeException e)
        {
            throw new ChannelException($"{e.Message}: this kernel has no AF_VSOCK (module vsock)", e);
        }
    }
}
