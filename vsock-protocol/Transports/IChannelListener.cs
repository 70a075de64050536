namespace Keck.VsockProtocol;

/// <summary>The side that waits for connections: the host. Listens from its construction on.</summary>
public interface IChannelListener : IAsyncDisposable
{
    /// <summary>
    /// The next connection; throws <see cref="ChannelException"/> where the listener itself is broken. A connection that broke
    /// before it was taken is passed over.
    /// </summary>
    ValueTask<ChannelConnection> AcceptAsync(CancellationToken cancellationToken);
}
