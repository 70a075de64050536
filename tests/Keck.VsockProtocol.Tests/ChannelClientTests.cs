using Google.Protobuf;

namespace Keck.VsockProtocol.Tests;

public sealed class ChannelClientTests : IAsyncDisposable
{
    private readonly FakeConnector _connector = new();
    private readonly ManualTime _time = new();
    private readonly ChannelClientOptions _options = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ChannelClient _client;
    private readonly IAsyncEnumerator<ChannelEvent> _events;

    public ChannelClientTests()
    {
        _client = new ChannelClient(_connector, Samples.Hello, _options, _time, new Random(1));
        _events = _client.RunAsync(_stop.Token).GetAsyncEnumerator(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _events.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Run_Welcome_ThenMarksAndBudgets()
    {
        using TestPeer host = _connector.Next();
        Task<ChannelEvent> connected = NextAsync();
        Hello hello = await host.ReceiveAsync<Hello>();
        Assert.Equal((1u, 1u, "web-1"), (hello.LowestVersion, hello.HighestVersion, hello.NameClaim));
        Assert.False(_client.IsConnected);
        await host.SendAsync(Answer(hello));
        Assert.Equal("web-1", (await connected).Welcome.MachineName);
        Assert.True(_client.IsConnected);
        await host.SendAsync(new Mark { Interval = 7 }, Samples.Budget());
        _time.Advance(TimeSpan.FromSeconds(1));
        ChannelEvent mark = await NextAsync();
        Assert.Equal((7ul, _time.GetTimestamp()), (mark.Mark.Interval, mark.Timestamp));
        Assert.Equal(Samples.Budget(), (await NextAsync()).Budget);
    }

    [Fact]
    public async Task Post_OnlyWhenConnected()
    {
        Assert.Equal(PostResult.NotConnected, _client.Post(new Ack { Interval = 1 }));
        using TestPeer host = await ConnectAsync();
        Assert.Equal(PostResult.Queued, _client.Post(new Ack { Interval = 2 }));
        Assert.Equal(2ul, (await host.ReceiveAsync<Ack>()).Interval);
        _ = _client.Post(Samples.Usage());
        Assert.Equal(Samples.Usage(), await host.ReceiveAsync<Usage>());
    }

    [Fact]
    public async Task Run_NobodyThere_TriesAgainWithGrowingJitteredWaits()
    {
        List<TimeSpan> waits = [];
        for (int attempt = 1; attempt <= 10; attempt++)
        {
            ChannelEvent failed = await NextAsync();
            Assert.Equal((ChannelEventKind.Disconnected, "unix:/fake: nobody there"), (failed.Kind, failed.Detail));
            Assert.Equal(attempt, _connector.Attempts);
            Task<ChannelEvent> next = NextAsync();
            waits.Add(_time.Next!.Value);
            Assert.False(next.IsCompleted);
            _pending = next;
            _time.Advance(_time.Next!.Value);
        }

        double[] ranges = [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30];
        Assert.All(waits.Zip(ranges), pair => Assert.InRange(pair.First.TotalSeconds, pair.Second / 2, pair.Second));
        Assert.Equal(waits.Count, waits.Distinct().Count());
    }

    [Fact]
    public async Task Run_HostGone_SaysSoAndComesBackWithAnotherNonce()
    {
        TestPeer first = _connector.Next();
        Task<ChannelEvent> connected = NextAsync();
        Hello one = await first.ReceiveAsync<Hello>();
        await first.SendAsync(Answer(one));
        _ = await connected;
        first.Dispose();
        ChannelEvent cut = await NextAsync();
        Assert.Equal((ChannelEventKind.Disconnected, "the host closed the connection"), (cut.Kind, cut.Detail));
        Assert.False(_client.IsConnected);

        using TestPeer second = _connector.Next();
        connected = NextAsync();
        _time.Advance(_time.Next!.Value);
        Hello two = await second.ReceiveAsync<Hello>();
        Assert.NotEqual(one.Nonce, two.Nonce);
        await second.SendAsync(Answer(two));
        Assert.Equal(ChannelEventKind.Connected, (await connected).Kind);
        Assert.Equal(2, _client.Counts.Connections);
        Assert.Equal(2, _client.Counts.FramesRead);
    }

    [Fact]
    public async Task Run_LeftoversOfAnEarlierTalk_ArePassedOver()
    {
        using TestPeer host = _connector.Next();
        Task<ChannelEvent> connected = NextAsync();
        Hello hello = await host.ReceiveAsync<Hello>();
        Welcome stale = Answer(hello);
        (stale.Nonce, stale.MachineName) = (hello.Nonce + 1, "somebody else");
        await host.SendBytesAsync(FrameCodec.Encode(Samples.Budget())[30..]); // the end of a frame
        await host.SendAsync(stale, new Mark { Interval = 1 }, Answer(hello));
        Assert.Equal("web-1", (await connected).Welcome.MachineName);
    }

    [Fact]
    public async Task Run_NoWelcomeInTime_Disconnects()
    {
        using TestPeer host = _connector.Next();
        Task<ChannelEvent> next = NextAsync();
        _ = await host.ReceiveAsync<Hello>();
        _time.Advance(_options.HandshakeTimeout);
        Assert.Equal("the host does not answer our Hello", (await next).Detail);
    }

    [Fact]
    public async Task Run_HostFallsSilent_Disconnects()
    {
        using TestPeer host = await ConnectAsync();
        Task<ChannelEvent> next = NextAsync();
        _time.Advance(_options.SilenceTimeout - TimeSpan.FromMilliseconds(1));
        Assert.False(next.IsCompleted);
        await host.SendAsync(new Mark { Interval = 1 });
        Assert.Equal(ChannelEventKind.Mark, (await next).Kind);
        next = NextAsync();
        _time.Advance(_options.SilenceTimeout);
        Assert.Equal("the host is silent", (await next).Detail);
    }

    [Fact]
    public async Task Run_HostSaysGoodbye_GivesItsReason()
    {
        using TestPeer host = await ConnectAsync();
        await host.SendAsync(new Goodbye { Reason = WireReason.UnprivilegedPort, Detail = "source port 5000" });
        Assert.Equal("the host said goodbye: UnprivilegedPort, source port 5000", (await NextAsync()).Detail);
    }

    [Fact]
    public async Task Run_BudgetOutsideItsBounds_IsNeverShown()
    {
        using TestPeer host = await ConnectAsync();
        await host.SendAsync(new Budget { Interval = 1, VcpuActive = { new WireFigure { EnergyMicrojoules = 1, LowMicrojoules = 2 } } });
        Assert.Equal("the host sent an energy outside its bounds", (await NextAsync()).Detail);
    }

    [Fact]
    public async Task Run_Stopped_SaysGoodbyeAndEndsQuietly()
    {
        using TestPeer host = await ConnectAsync();
        ValueTask<bool> next = _events.MoveNextAsync();
        await _stop.CancelAsync();
        Assert.False(await next);
        List<IMessage> last = await host.ReadToEndAsync();
        Assert.Equal(WireReason.Shutdown, Assert.IsType<Goodbye>(Assert.Single(last)).Reason);
    }

    private Task<ChannelEvent>? _pending;

    private Task<ChannelEvent> NextAsync()
    {
        Task<ChannelEvent> next = _pending ?? MoveAsync();
        _pending = null;
        return next.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task<ChannelEvent> MoveAsync()
    {
        Assert.True(await _events.MoveNextAsync());
        return _events.Current;
    }

    private async Task<TestPeer> ConnectAsync()
    {
        TestPeer host = _connector.Next();
        Task<ChannelEvent> connected = NextAsync();
        await host.SendAsync(Answer(await host.ReceiveAsync<Hello>()));
        _ = await connected;
        return host;
    }

    private static Welcome Answer(Hello hello)
    {
        Welcome welcome = Samples.Welcome();
        welcome.Nonce = hello.Nonce;
        return welcome;
    }
}
