namespace Keck.VsockProtocol;

/// <summary>The side that opens connections: every guest, and the host towards a virtio-serial socket of QEMU.</summary>
public interface IChannelConnector
{
    /// <summary>Opens a connection; throws <see cref="ChannelException"/> with a reason for people where that cannot be.</summary>
    ValueTask<ChannelConnection> ConnectAsync(CancellationToken cancellationToken);
}
