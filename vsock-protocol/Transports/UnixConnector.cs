using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace Keck.VsockProtocol;

/// <summary>
/// Connects to a unix socket: a guest agent in a test or beside a host agent, and the host agent towards the socket that QEMU or
/// libvirt made for a machine's virtio-serial port.
/// </summary>
/// <param name="path">Absolute path of the socket.</param>
/// <param name="transport">What lies behind the socket: <see cref="ChannelTransport.Unix"/> or <see cref="ChannelTransport.VirtioSerial"/>.</param>
public sealed class UnixConnector(string path, ChannelTransport transport = ChannelTransport.Unix) : IChannelConnector
{
    /// <inheritdoc/>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "the connection owns the socket; disposed of where there is none")]
    public async ValueTask<ChannelConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        UnixDomainSocketEndPoint address = UnixPath.EndPoint(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return ChannelConnection.Over(socket, new ChannelPeer(transport, null, null, path));
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ChannelException($"unix:{path}: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
