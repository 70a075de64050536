using System.Diagnostics.CodeAnalysis;
using Keck.VsockProtocol.Interop;

namespace Keck.VsockProtocol;

/// <summary>
/// Opens the guest's end of a virtio-serial port, a character device that one process at a time may hold. While no host agent is
/// connected to the other end, reading gives the end of the stream at once: the client backs off and opens it again.
/// </summary>
/// <param name="path">Such as <c>/dev/virtio-ports/org.keck.energy.0</c>.</param>
public sealed class VirtioSerialConnector(string path) : IChannelConnector
{
    /// <inheritdoc/>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "the connection owns the socket, and the caller the connection")]
    public ValueTask<ChannelConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var peer = new ChannelPeer(ChannelTransport.VirtioSerial, null, null, path);
            return ValueTask.FromResult(ChannelConnection.Over(NativeSockets.OpenDevice(path), peer));
        }
        catch (NativeException e)
        {
            throw new ChannelException($"virtio-serial: {e.Message} (does the machine have a port of this name, and is no other agent using it?)", e);
        }
    }
}
