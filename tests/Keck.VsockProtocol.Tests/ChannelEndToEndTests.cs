namespace Keck.VsockProtocol.Tests;

/// <summary>Client and sessions over a real hybrid-vsock socket.</summary>
public sealed class ChannelEndToEndTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-channel-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Budgets_ThroughManyCuts_NothingIsLostAndNothingCountedTwice()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(TimeSpan.FromSeconds(60)); // a hang is a failure, not a wait
        string path = UnixListener.HybridVsock(Path.Combine(_folder, "vm.sock"));
        await using var listener = new UnixListener(path);
        var host = new CuttingHost(intervals: 200, cutEvery: 13);
        Task serving = host.RunAsync(listener, stop.Token);

        var options = new ChannelClientOptions { FirstWait = TimeSpan.FromMilliseconds(1), LongestWait = TimeSpan.FromMilliseconds(20) };
        var client = new ChannelClient(new UnixConnector(path), Samples.Hello, options, TimeProvider.System, new Random(1));
        ulong booked = 0, counter = 0, interval = 0, mark = 0;
        int connected = 0, cuts = 0;
        await foreach (ChannelEvent happened in client.RunAsync(stop.Token))
        {
            switch (happened.Kind)
            {
                case ChannelEventKind.Connected:
                    connected++;
                    Assert.Equal(Samples.HostEpoch, happened.Welcome.HostEpoch);
                    break;
                case ChannelEventKind.Mark:
                    Assert.True(happened.Mark.Interval > mark);
                    mark = happened.Mark.Interval;
                    break;
                case ChannelEventKind.Budget:
                    Assert.True(happened.Budget.Interval > interval);
                    interval = happened.Budget.Interval;
                    ulong now = happened.Budget.VcpuActive[0].EnergyMicrojoules;
                    booked += now - counter;
                    counter = now;
                    _ = client.Post(new Ack { Interval = interval });
                    break;
                default:
                    cuts++;
                    break;
            }

            if (happened.Detail.StartsWith("the host said goodbye", StringComparison.Ordinal))
            {
                break;
            }
        }

        await serving;
        Assert.Equal(200ul, interval);
        Assert.Equal(Enumerable.Range(1, 200).Sum(n => 1_000L * (1 + (n % 7))), (long)booked);
        Assert.InRange(cuts, 10, int.MaxValue);
        Assert.Equal(connected, host.Ends.Count);
        Assert.Equal(new SessionEnd(SessionEndKind.Closed, WireReason.Shutdown, "done"), host.Ends[^1]);
        Assert.Equal(connected, client.Counts.Connections);
        Assert.Equal(0, client.Counts.Faults);
    }

    [Fact]
    public async Task Session_PeerOfAHybridSocketNeverReads_EndsAsSlowAndBounded()
    {
        var time = new ManualTime();
        string path = Path.Combine(_folder, "slow_19269");
        await using var listener = new UnixListener(path);
        await using ChannelConnection guest = await new UnixConnector(path).ConnectAsync(TestContext.Current.CancellationToken);
        var handler = new RecordingHandler();
        ChannelConnection accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        var probe = new ProbeStream(accepted.Stream);
        var session = new ChannelSession(new ChannelConnection(probe, accepted.Peer), handler, new ChannelSessionOptions(), time);
        Task<SessionEnd> running = session.RunAsync(TestContext.Current.CancellationToken);
        await guest.Stream.WriteAsync(FrameCodec.Encode(Samples.Hello()), TestContext.Current.CancellationToken);
        _ = await handler.ToldAsync<Hello>();
        _ = await handler.ToldAsync<ChannelSession>();
        Budget budget = Samples.Budget(ChannelProtocol.MaxVcpus, 1_000_000_000_000);

        // Once what the kernel buffers is full, it stays so.
        _ = await probe.FillAsync(session, budget);
        Assert.Equal(PostResult.Queued, session.Post(budget));
        long before = GC.GetAllocatedBytesForCurrentThread();
        int superseded = 0;
        for (int i = 0; i < 1_000; i++)
        {
            superseded += session.Post(budget) == PostResult.Superseded ? 1 : 0;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1_000, superseded);
        time.Advance(TimeSpan.FromSeconds(10));
        SessionEnd end = await running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal((SessionEndKind.Fault, WireReason.SlowReader), (end.Kind, end.Reason));
    }
}
