namespace Keck.VsockProtocol.Tests;

public sealed class ChannelSessionTests
{
    [Fact]
    public async Task Run_Hello_WelcomesWithVersionAndNonce()
    {
        await using var bench = new SessionBench();
        await bench.Guest.SendAsync(Samples.Hello());
        Welcome welcome = await bench.Guest.ReceiveAsync<Welcome>();
        Assert.Equal((1u, Samples.Hello().Nonce), (welcome.Version, welcome.Nonce));
        Assert.Equal("web-1", (await bench.Handler.ToldAsync<Hello>()).NameClaim);
        Assert.Same(bench.Session, await bench.Handler.ToldAsync<ChannelSession>());
    }

    [Fact]
    public async Task Post_BeforeAndAfterWelcome_SendsOnlyAfter()
    {
        await using var bench = new SessionBench();
        Assert.Equal(PostResult.NotConnected, bench.Session.Post(new Mark { Interval = 1 }));
        await bench.EstablishAsync();
        Assert.Equal(PostResult.Queued, bench.Session.Post(new Mark { Interval = 2 }));
        Assert.Equal(2ul, (await bench.Guest.ReceiveAsync<Mark>()).Interval);
        _ = bench.Session.Post(Samples.Budget());
        Assert.Equal(Samples.Budget(), await bench.Guest.ReceiveAsync<Budget>());
    }

    [Fact]
    public async Task Run_AckAndUsage_ReachTheOwner()
    {
        await using var bench = new SessionBench();
        await bench.EstablishAsync();
        await bench.Guest.SendAsync(new Ack { Interval = 7 }, Samples.Usage());
        Assert.Equal(7ul, (await bench.Handler.ToldAsync<Ack>()).Interval);
        Assert.Equal(Samples.Usage(), await bench.Handler.ToldAsync<Usage>());
    }

    [Theory]
    [InlineData(SourcePort.Privileged, 1_023)]
    [InlineData(SourcePort.Unprivileged, 1_024)]
    public async Task Run_SourcePort_OnlyRootsPortsGetIn(SourcePort expected, int port)
    {
        var peer = new ChannelPeer(ChannelTransport.Vsock, 42, (uint)port, null);
        Assert.Equal(expected, peer.SourcePort);
        await using var bench = new SessionBench(peer);
        if (expected == SourcePort.Privileged)
        {
            await bench.EstablishAsync();
        }
        else
        {
            await bench.AssertFaultAsync(WireReason.UnprivilegedPort);
            Assert.True(bench.Handler.ToldNothingMore);
        }
    }

    [Fact]
    public async Task Run_NoHelloInTime_Ends()
    {
        await using var bench = new SessionBench();
        bench.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(bench.Running.IsCompleted);
        bench.Time.Advance(TimeSpan.FromSeconds(0.2));
        await bench.AssertFaultAsync(WireReason.HandshakeTimeout);
    }

    [Fact]
    public async Task Run_UnknownFramesInsteadOfHello_DoNotPutOffTheDeadline()
    {
        await using var bench = new SessionBench();
        for (int i = 0; i < 3; i++)
        {
            await bench.Guest.SendBytesAsync(Decoding.Frame(99, []));
            bench.Time.Advance(TimeSpan.FromSeconds(2));
        }

        await bench.AssertFaultAsync(WireReason.HandshakeTimeout);
    }

    [Fact]
    public async Task Run_GuestFallsSilent_Ends()
    {
        await using var bench = new SessionBench();
        await bench.EstablishAsync();
        bench.Time.Advance(TimeSpan.FromSeconds(59));
        await bench.Guest.SendAsync(new Ack { Interval = 1 });
        _ = await bench.Handler.ToldAsync<Ack>();
        bench.Time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(bench.Running.IsCompleted);
        bench.Time.Advance(TimeSpan.FromSeconds(2));
        await bench.AssertFaultAsync(WireReason.IdleTimeout);
    }

    [Fact]
    public async Task Run_VersionsNotInCommon_Refuses()
    {
        await using var bench = new SessionBench();
        Hello hello = Samples.Hello();
        (hello.LowestVersion, hello.HighestVersion) = (2, 3);
        await bench.Guest.SendAsync(hello);
        await bench.AssertFaultAsync(WireReason.Version);
    }

    [Fact]
    public async Task Run_NewerGuestThatStillSpeaksOurs_GetsOurs()
    {
        await using var bench = new SessionBench();
        Hello hello = Samples.Hello();
        hello.HighestVersion = 9;
        await bench.Guest.SendAsync(hello);
        Assert.Equal(1u, (await bench.Guest.ReceiveAsync<Welcome>()).Version);
    }

    [Fact]
    public async Task Run_OwnerRefuses_TellsTheGuestWhy()
    {
        await using var bench = new SessionBench(handler: new RecordingHandler { Answer = _ => Greeting.Refuse(WireReason.Refused, "no machine has CID 42") });
        await bench.Guest.SendAsync(Samples.Hello());
        await bench.AssertFaultAsync(WireReason.Refused);
    }

    public static TheoryData<string, byte[], WireReason> Violations => new()
    {
        { "garbage", "GET / HTTP/1.1\r\n"u8.ToArray(), WireReason.Garbage },
        { "bad checksum", BadChecksum(), WireReason.Garbage },
        { "oversize", Decoding.Claim(1 << 20), WireReason.Garbage },
        { "bad body", Decoding.Frame((byte)FrameType.Ack, [0x08]), WireReason.Garbage },
        { "second Hello", FrameCodec.Encode(Samples.Hello()), WireReason.Protocol },
        { "a host's message", FrameCodec.Encode(Samples.Budget()), WireReason.Protocol },
        { "an Ack of nothing", FrameCodec.Encode(new Ack()), WireReason.Protocol },
        { "an energy outside its bounds", FrameCodec.Encode(new Usage { Seq = 1, Rest = new WireFigure { EnergyMicrojoules = 5, LowMicrojoules = 6 } }), WireReason.Protocol },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task Run_GuestBreaksARule_LosesItsConnection(string what, byte[] bytes, WireReason reason)
    {
        Assert.NotEmpty(what);
        await using var bench = new SessionBench();
        await bench.EstablishAsync();
        await bench.Guest.SendBytesAsync(bytes);
        await bench.AssertFaultAsync(reason);
        Assert.True(bench.Handler.ToldNothingMore);
    }

    [Fact]
    public async Task Run_AckBeforeHello_IsAFault()
    {
        await using var bench = new SessionBench();
        await bench.Guest.SendAsync(new Ack { Interval = 1 });
        await bench.AssertFaultAsync(WireReason.Protocol);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_Flood_EndsAtTheRateLimit(bool frames)
    {
        var options = new ChannelSessionOptions();
        await using var bench = new SessionBench(options: options);
        await bench.EstablishAsync();
        byte[] piece = frames ? FrameCodec.Encode(new Ack { Interval = 1 }) : Decoding.Frame(99, new byte[30_000]);
        int pieces = 0;
        while (!bench.Running.IsCompleted && pieces < 10_000)
        {
            try
            {
                await bench.Guest.SendBytesAsync(piece);
                pieces++;
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                break; // closed
            }
        }

        SessionEnd end = await bench.End;
        Assert.Equal((SessionEndKind.Fault, WireReason.Rate), (end.Kind, end.Reason));
        Assert.InRange(bench.Session.Counts.FramesRead, 0, 1 + options.FramesBurst);
    }

    [Fact]
    public async Task Run_AllowedRateForLong_GoesOn()
    {
        var options = new ChannelSessionOptions();
        await using var bench = new SessionBench(options: options);
        await bench.EstablishAsync();
        for (int i = 0; i < 10 * options.FramesBurst; i++)
        {
            bench.Time.Advance(TimeSpan.FromSeconds(1.0 / options.FramesPerSecond));
            await bench.Guest.SendAsync(new Ack { Interval = (ulong)i });
            _ = await bench.Handler.ToldAsync<Ack>();
        }
    }

    [Fact]
    public async Task Post_GuestReadsNothing_EndsAsSlow()
    {
        await using var bench = new SessionBench();
        await bench.EstablishAsync();
        _ = await bench.FillAsync(Samples.Budget(64, 1_000_000_000));
        bench.Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(bench.Running.IsCompleted);
        bench.Time.Advance(TimeSpan.FromSeconds(0.2));
        SessionEnd end = await bench.End;
        Assert.Equal((SessionEndKind.Fault, WireReason.SlowReader), (end.Kind, end.Reason));
        Assert.True(bench.IsClosed);
    }

    [Fact]
    public async Task Post_GuestReadsLate_GetsWhatWasOnTheWayAndThenTheNewest()
    {
        await using var bench = new SessionBench();
        await bench.EstablishAsync();
        Budget budget = Samples.Budget(64, 1_000_000_000);
        ulong filled = await bench.FillAsync(budget);
        for (ulong interval = filled + 1; interval <= filled + 10; interval++)
        {
            _ = bench.Session.Post(new Mark { Interval = interval });
            budget.Interval = interval;
            _ = bench.Session.Post(budget);
        }

        Assert.Equal(18, bench.Session.Counts.Superseded);
        for (ulong interval = 1; interval <= filled; interval++)
        {
            Assert.Equal(interval, (await bench.Guest.ReceiveAsync<Budget>()).Interval);
        }

        Assert.Equal(filled + 10, (await bench.Guest.ReceiveAsync<Mark>()).Interval);
        Assert.Equal(budget, await bench.Guest.ReceiveAsync<Budget>());
    }

    [Fact]
    public async Task Close_WithReason_TellsTheGuest()
    {
        await using var bench = new SessionBench();
        await bench.EstablishAsync();
        bench.Session.Close(WireReason.Superseded, "a newer connection");
        bench.Session.Close(WireReason.Shutdown, "too late");
        Goodbye goodbye = await bench.Guest.ReceiveAsync<Goodbye>();
        Assert.Equal((WireReason.Superseded, "a newer connection"), (goodbye.Reason, goodbye.Detail));
        Assert.Equal(new SessionEnd(SessionEndKind.Closed, WireReason.Superseded, "a newer connection"), await bench.End);
    }

    [Fact]
    public async Task Run_TokenCancelled_SaysShutdown()
    {
        await using var bench = new SessionBench();
        await bench.EstablishAsync();
        bench.Stop();
        Assert.Equal(WireReason.Shutdown, (await bench.Guest.ReceiveAsync<Goodbye>()).Reason);
        Assert.Equal(SessionEndKind.Closed, (await bench.End).Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_GuestLeaves_EndsWithoutFault(bool politely)
    {
        await using var bench = new SessionBench();
        await bench.EstablishAsync();
        if (politely)
        {
            await bench.Guest.SendAsync(new Goodbye { Reason = WireReason.Shutdown });
        }
        else
        {
            bench.Guest.Dispose();
        }

        SessionEnd end = await bench.End;
        Assert.Equal((SessionEndKind.PeerLeft, politely ? WireReason.Shutdown : WireReason.Unspecified), (end.Kind, end.Reason));
    }

    [Fact]
    public async Task Run_SerialPortWithLeftovers_FindsTheHello()
    {
        await using var bench = new SessionBench(SessionBench.SerialPeer);
        byte[] half = FrameCodec.Encode(Samples.Usage())[..40];
        byte[] leftovers = [.. half[12..], .. FrameCodec.Encode(new Ack { Interval = 3 }), .. FrameCodec.Encode(new Goodbye { Reason = WireReason.Shutdown })];
        await bench.Guest.SendBytesAsync(leftovers);
        bench.Time.Advance(TimeSpan.FromHours(1)); // a port on which nobody speaks costs nothing
        await bench.EstablishAsync();
        Assert.True(bench.Handler.ToldNothingMore);
    }

    [Fact]
    public async Task Run_SerialPortAgentStartsAnew_IsGreetedAgain()
    {
        await using var bench = new SessionBench(SessionBench.SerialPeer);
        await bench.EstablishAsync();
        await bench.Guest.SendBytesAsync(FrameCodec.Encode(new Ack { Interval = 3 })[..5]); // killed in the middle
        Hello anew = Samples.Hello();
        anew.Nonce = 42;
        // The header that was cut claims no more than these frames hold.
        await bench.Guest.SendAsync(anew);
        Assert.Equal(42ul, (await bench.Guest.ReceiveAsync<Welcome>()).Nonce);
        Assert.Equal(2, bench.Session.Counts.Connections);
    }

    [Fact]
    public async Task Run_SerialPortFullOfGarbage_Ends()
    {
        await using var bench = new SessionBench(SessionBench.SerialPeer);
        for (int i = 0; i < 6 && !bench.Running.IsCompleted; i++)
        {
            await bench.Guest.SendBytesAsync(new byte[30_000]);
        }

        SessionEnd end = await bench.End;
        Assert.Equal((SessionEndKind.Fault, WireReason.Garbage), (end.Kind, end.Reason));
    }

    private static byte[] BadChecksum()
    {
        byte[] frame = FrameCodec.Encode(new Ack { Interval = 1 });
        frame[^1] ^= 1;
        return frame;
    }
}
