using System.Threading.Channels;

namespace Keck.VsockProtocol.Tests;

/// <summary>An owner of sessions that lets everybody in and keeps what it is told.</summary>
internal sealed class RecordingHandler : IChannelSessionHandler
{
    private readonly Channel<object> _told = Channel.CreateUnbounded<object>();

    internal Func<Hello, Greeting> Answer { get; init; } = _ => Greeting.Accept(Samples.Welcome());

    public Greeting Greet(ChannelSession session, Hello hello)
    {
        _ = _told.Writer.TryWrite(hello);
        return Answer(hello);
    }

    public void Established(ChannelSession session) => _ = _told.Writer.TryWrite(session);

    public void Acknowledged(ChannelSession session, Ack ack) => _ = _told.Writer.TryWrite(ack);

    public void Used(ChannelSession session, Usage usage) => _ = _told.Writer.TryWrite(usage);

    /// <summary>The next thing it is told, which must be of this kind.</summary>
    internal async Task<T> ToldAsync<T>() => Assert.IsType<T>(await _told.Reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));

    internal bool ToldNothingMore => _told.Reader.Count == 0;
}
