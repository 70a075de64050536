namespace Keck.VsockProtocol.Tests;

/// <summary>A session at work, with the guest played by hand.</summary>
internal sealed class SessionBench : IAsyncDisposable
{
    private readonly MemoryDuplex _host;
    private readonly ProbeStream _probe;
    private readonly CancellationTokenSource _stop = new();

    internal SessionBench(ChannelPeer? peer = null, ChannelSessionOptions? options = null, RecordingHandler? handler = null)
    {
        (_host, MemoryDuplex guest) = MemoryDuplex.Pair();
        _probe = new ProbeStream(_host);
        Guest = new TestPeer(guest);
        Handler = handler ?? new RecordingHandler();
        peer ??= new ChannelPeer(ChannelTransport.Unix, null, null, "/run/vm_19269");
        Session = new ChannelSession(new ChannelConnection(_probe, peer), Handler, options ?? new ChannelSessionOptions(), Time);
        Running = Session.RunAsync(_stop.Token);
    }

    internal static ChannelPeer SerialPeer => new(ChannelTransport.VirtioSerial, null, null, "/run/vm.serial");

    internal ManualTime Time { get; } = new();

    internal TestPeer Guest { get; }

    internal RecordingHandler Handler { get; }

    internal ChannelSession Session { get; }

    internal Task<SessionEnd> Running { get; }

    internal Task<SessionEnd> End => Running.WaitAsync(TimeSpan.FromSeconds(30));

    internal Task<ulong> FillAsync(Budget budget) => _probe.FillAsync(Session, budget);

    internal bool IsClosed => _host.IsClosed;

    internal void Stop() => _stop.Cancel();

    /// <summary>Hello and Welcome.</summary>
    internal async Task EstablishAsync()
    {
        await Guest.SendAsync(Samples.Hello());
        _ = await Guest.ReceiveAsync<Welcome>();
        _ = await Handler.ToldAsync<Hello>();
        _ = await Handler.ToldAsync<ChannelSession>();
    }

    /// <summary>That the session ended by the guest's fault, told it so, and closed.</summary>
    internal async Task AssertFaultAsync(WireReason reason)
    {
        List<Google.Protobuf.IMessage> last = await Guest.ReadToEndAsync();
        SessionEnd end = await End;
        Assert.Equal((SessionEndKind.Fault, reason), (end.Kind, end.Reason));
        Assert.NotEmpty(end.Detail);
        Assert.Equal(reason, Assert.IsType<Goodbye>(last[^1]).Reason);
        Assert.True(IsClosed);
        Assert.Equal(PostResult.NotConnected, Session.Post(new Mark { Interval = 9 }));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Guest.Dispose();
        _ = await End;
        _stop.Dispose();
    }
}
