namespace Keck.VsockProtocol.Tests;

/// <summary>
/// A host with one machine: its counter grows at every interval, whether somebody listens or not; the next interval ends when the
/// guest has acknowledged the last, and every few intervals the connection is cut without a word.
/// </summary>
internal sealed class CuttingHost(ulong intervals, ulong cutEvery) : IChannelSessionHandler
{
    private ulong _interval;
    private ulong _energy;
    private ChannelConnection? _connection;

    internal ulong Energy => _energy;

    internal List<SessionEnd> Ends { get; } = [];

    /// <summary>Serves one connection after the other until every interval has been acknowledged.</summary>
    internal async Task RunAsync(IChannelListener listener, CancellationToken cancellationToken)
    {
        while (_interval <= intervals)
        {
            _connection = await listener.AcceptAsync(cancellationToken);
            var session = new ChannelSession(_connection, this, new ChannelSessionOptions { FramesPerSecond = 1_000_000, FramesBurst = 1_000_000 }, TimeProvider.System);
            Ends.Add(await session.RunAsync(cancellationToken));
        }
    }

    public Greeting Greet(ChannelSession session, Hello hello) => Greeting.Accept(Samples.Welcome());

    public void Established(ChannelSession session) => Next(session);

    public void Acknowledged(ChannelSession session, Ack ack)
    {
        if (ack.Interval != _interval)
        {
            return;
        }

        if (_interval % cutEvery == 0 && _interval < intervals)
        {
            // The energy of two intervals goes by while nobody is connected.
            Grow();
            Grow();
            _ = _connection!.DisposeAsync().AsTask();
        }
        else
        {
            Next(session);
        }
    }

    public void Used(ChannelSession session, Usage usage)
    {
    }

    private void Next(ChannelSession session)
    {
        Grow();
        if (_interval > intervals)
        {
            session.Close(WireReason.Shutdown, "done");
            return;
        }

        _ = session.Post(new Mark { Interval = _interval });
        _ = session.Post(new Budget { Interval = _interval, BaseInterval = 0, VcpuActive = { Samples.Figure(_energy) } });
    }

    private void Grow()
    {
        _interval++;
        _energy += 1_000 * (1 + (_interval % 7));
    }
}
