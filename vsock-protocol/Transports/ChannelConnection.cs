using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace Keck.VsockProtocol;

/// <summary>One connection of any transport: bytes both ways, and who is at the other end. Owns the stream.</summary>
/// <param name="stream">Duplex; reading and writing at once must be possible.</param>
/// <param name="peer">Who is at the other end.</param>
public sealed class ChannelConnection(Stream stream, ChannelPeer peer) : IAsyncDisposable
{
    /// <summary>The bytes.</summary>
    public Stream Stream => stream;

    /// <summary>Who is at the other end.</summary>
    public ChannelPeer Peer => peer;

    /// <summary>A connection over a socket, which it owns from here on.</summary>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "the connection owns the stream, and the stream the socket")]
    internal static ChannelConnection Over(Socket socket, ChannelPeer peer) => new(new SocketStream(socket), peer);

    /// <summary>Closes the stream; what waits in it ends.</summary>
    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
