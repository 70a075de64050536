using System.Threading.Channels;

namespace Keck.VsockProtocol.Tests;

/// <summary>Gives the connections it was given, and refuses when there is none.</summary>
internal sealed class FakeConnector : IChannelConnector
{
    private readonly Channel<MemoryDuplex> _next = Channel.CreateUnbounded<MemoryDuplex>();

    internal int Attempts { get; private set; }

    /// <summary>The next attempt gets a connection; this is its other end.</summary>
    internal TestPeer Next()
    {
        (MemoryDuplex host, MemoryDuplex guest) = MemoryDuplex.Pair();
        _ = _next.Writer.TryWrite(guest);
        return new TestPeer(host);
    }

    public ValueTask<ChannelConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        Attempts++;
        return _next.Reader.TryRead(out MemoryDuplex? guest)
            ? ValueTask.FromResult(new ChannelConnection(guest, new ChannelPeer(ChannelTransport.Unix, null, null, "/fake")))
            : throw new ChannelException("unix:/fake: nobody there");
    }
}
