using Keck.Metering;
using Keck.Virt;
using Keck.VsockProtocol;

namespace Keck.Host.Tests;

/// <summary>Who is let in, as whom, and what it is told; over real sockets.</summary>
public sealed class ChannelHubTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-hub-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(IdlePolicy.Separate)]
    [InlineData(IdlePolicy.Proportional)]
    [InlineData(IdlePolicy.Allocated)]
    public async Task Tell_EachGuest_GetsItsOwnAccountInWholeMillijoules(IdlePolicy policy)
    {
        await using HubHost host = Ticked(3, new HostOptions { Idle = policy });
        (RawGuest first, Welcome welcome) = await RawGuest.EnterAsync(host.Door(0));
        await using RawGuest guest = first;
        (RawGuest second, Welcome other) = await RawGuest.EnterAsync(host.Door(1));
        await using RawGuest neighbour = second;
        Assert.Equal((MadeUpMachines.Uuid(0), "vm-0", 2u, MachineBudget.Policy(policy)), (welcome.MachineUuid, welcome.MachineName, welcome.Vcpus, welcome.IdlePolicy));
        Assert.NotEqual(welcome.HostEpoch, other.HostEpoch);
        host.Tick();
        AssertIs(host, 0, policy, await guest.NextAsync<Budget>());
        AssertIs(host, 1, policy, await neighbour.NextAsync<Budget>());
    }

    [Fact]
    public async Task Used_WordOnTheIntervalJustMarked_IsTimedAndOnOthersIsNot()
    {
        await using HubHost host = Ticked(1);
        (RawGuest entered, _) = await RawGuest.EnterAsync(host.Door(0));
        await using RawGuest guest = entered;
        host.Time.Skip(TimeSpan.FromSeconds(2));
        host.Tick();
        ulong marked = (await guest.NextAsync<Mark>()).Interval;
        MachineChannelState channel = host.Hub.Find(MadeUpMachines.Uuid(0))!;
        await guest.SendAsync(new Usage { Seq = 1, Interval = marked - 1 });
        await Until.TrueAsync(() => channel.Report()?.Interval == marked - 1, "the word on the interval before");
        Assert.Null(channel.Facts().AttributedNanoseconds);

        host.Time.Skip(TimeSpan.FromSeconds(3));
        await guest.SendAsync(new Usage { Seq = 2, Interval = marked });
        await Until.TrueAsync(() => channel.Report()?.Interval == marked, "the word on the interval");
        Assert.InRange(channel.Facts().AttributedNanoseconds ?? 0, 3_000_000_000, long.MaxValue);
    }

    [Fact]
    public async Task Greet_NameOfAnother_IsWelcomedAsWhoItIs()
    {
        await using HubHost host = Ticked(2);
        await using RawGuest guest = await RawGuest.ConnectAsync(host.Door(0));
        Hello hello = RawGuest.Hello("vm-1");
        hello.BootId = MadeUpMachines.Uuid(1);
        await guest.SendAsync(hello);
        Assert.Equal(MadeUpMachines.Uuid(0), (await guest.NextAsync<Welcome>()).MachineUuid);
        host.Tick();
        AssertIs(host, 0, IdlePolicy.Separate, await guest.NextAsync<Budget>());
        Assert.Null(host.Hub.Find(MadeUpMachines.Uuid(1)));
    }

    [Fact]
    public async Task Greet_AddressOfNoMachine_IsRefused()
    {
        await using HubHost host = Ticked(1);
        host.Open(Path.Combine(_folder, "stranger"));
        await using RawGuest guest = await RawGuest.ConnectAsync(UnixListener.HybridVsock(Path.Combine(_folder, "stranger")));
        await guest.SendAsync(RawGuest.Hello());
        Goodbye goodbye = Assert.IsType<Goodbye>(Assert.Single(await guest.ReadToEndAsync()));
        Assert.Equal(WireReason.Refused, goodbye.Reason);
        Assert.DoesNotContain("vm-0", goodbye.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Greet_AddressThatTwoMachinesClaim_AttestsNobody()
    {
        await using HubHost host = Ticked(2);
        host.Know(HubHost.Machine(0, host.Socket(0)), HubHost.Machine(1, host.Socket(0)) with { Channels = [new(ChannelKind.HybridVsock, 0, host.Socket(0))] });
        await using RawGuest guest = await RawGuest.ConnectAsync(host.Door(0));
        await guest.SendAsync(RawGuest.Hello());
        Assert.Equal(WireReason.Refused, Assert.IsType<Goodbye>(Assert.Single(await guest.ReadToEndAsync())).Reason);
    }

    [Fact]
    public async Task Greet_SecondConnection_TakesOverAndTheFirstIsToldSo()
    {
        await using HubHost host = Ticked(1);
        (RawGuest first, _) = await RawGuest.EnterAsync(host.Door(0));
        await using RawGuest old = first;
        (RawGuest second, _) = await RawGuest.EnterAsync(host.Door(0));
        await using RawGuest guest = second;
        Assert.Equal(WireReason.Superseded, Assert.IsType<Goodbye>((await old.ReadToEndAsync())[^1]).Reason);
        host.Tick();
        _ = await guest.NextAsync<Budget>();
        MachineChannelState channel = host.Hub.Find(MadeUpMachines.Uuid(0))!;
        Assert.Equal((true, 2L, 0L), (channel.Facts().Connected, channel.Facts().Connections, channel.Facts().Rejected));
        await Until.TrueAsync(() => host.Hub.Sessions == 1, "the end of the first session");
        Assert.True(channel.Facts().Frames >= 6, "both sessions' frames are counted");
    }

    [Fact]
    public async Task Serve_UnprivilegedPort_IsRefusedAndDoesNotShutOutTheAgent()
    {
        await using HubHost host = Ticked(2);
        await using UnixListener listener = new(Path.Combine(_folder, "fake-vsock"));
        async Task<(RawGuest Guest, Task Serving)> FromAsync(uint cid, uint port)
        {
            RawGuest guest = await RawGuest.ConnectAsync(Path.Combine(_folder, "fake-vsock"));
            ChannelConnection accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken);
            return (guest, host.Hub.ServeAsync(
                new ChannelConnection(accepted.Stream, new ChannelPeer(ChannelTransport.Vsock, cid, port, null)), TestContext.Current.CancellationToken));
        }

        (RawGuest user, Task refused) = await FromAsync(100, 1_024);
        await using (user)
        {
            await user.SendAsync(RawGuest.Hello());
            Assert.Equal(WireReason.UnprivilegedPort, Assert.IsType<Goodbye>(Assert.Single(await user.ReadToEndAsync())).Reason);
            await refused;
        }

        (RawGuest root, Task served) = await FromAsync(100, 1_023);
        await using (root)
        {
            await root.SendAsync(RawGuest.Hello());
            Assert.Equal(MadeUpMachines.Uuid(0), (await root.NextAsync<Welcome>()).MachineUuid);
            Assert.Equal(1, host.Hub.Find(MadeUpMachines.Uuid(0))!.Facts().Rejected);
        }

        await served;
        (RawGuest stranger, Task ended) = await FromAsync(99, 1_000);
        await using (stranger)
        {
            await stranger.SendAsync(RawGuest.Hello());
            Assert.Equal(WireReason.Refused, Assert.IsType<Goodbye>(Assert.Single(await stranger.ReadToEndAsync())).Reason);
            await ended;
        }

        Assert.Equal(
            [("unprivileged_port", 1L), ("no_machine", 1L)],
            host.Hub.Refusals.Where(refusal => refusal.Count > 0));
        Assert.Equal(Enum.GetValues<ChannelRefusal>().Length, host.Hub.Refusals.Length);
    }

    [Fact]
    public async Task Serve_AfterAFault_WaitsThenIsLetInAgain()
    {
        await using HubHost host = Ticked(1);
        await using (RawGuest bad = await RawGuest.ConnectAsync(host.Door(0)))
        {
            _ = await bad.SendBytesAsync([.. "GET / HTTP/1.1\r\n\r\n"u8]);
            Assert.Equal(WireReason.Garbage, Assert.IsType<Goodbye>(Assert.Single(await bad.ReadToEndAsync())).Reason);
        }

        await Until.TrueAsync(() => host.Hub.Sessions == 0, "the end of the session");
        await using (RawGuest early = await RawGuest.ConnectAsync(host.Door(0)))
        {
            Assert.Empty(await early.ReadToEndAsync());
        }

        Assert.Equal((1, 1), (host.Hub.Refused(ChannelRefusal.TooSoon), host.Hub.Refused(ChannelRefusal.Protocol)));
        Assert.Equal(2, host.Hub.Find(MadeUpMachines.Uuid(0))!.Facts().Rejected);
        host.Time.Skip(PeerState.Penalty);
        (RawGuest again, _) = await RawGuest.EnterAsync(host.Door(0));
        await again.DisposeAsync();
    }

    [Fact]
    public async Task Serve_ManyConnectionsOneAfterTheOther_AreLetInAtABoundedRateAndForgotten()
    {
        await using HubHost host = Ticked(1);
        long from = host.Time.GetTimestamp();
        const int Attempts = 200;
        for (int i = 0; i < Attempts; i++)
        {
            await using RawGuest guest = await RawGuest.ConnectAsync(host.Door(0));
            await guest.SendBytesAsync(FrameCodec.Encode(RawGuest.Hello()));
            _ = await guest.ReadAsync();
        }

        await Until.TrueAsync(() => host.Hub.Sessions == 0, "the end of the sessions");
        long letIn = Attempts - host.Hub.Refused(ChannelRefusal.TooOften) - host.Hub.Refused(ChannelRefusal.TooSoon) - host.Hub.Refused(ChannelRefusal.TooManyAtAddress);
        double seconds = host.Time.GetElapsedTime(from) / PeerState.Refill;
        Assert.InRange(letIn, 1, PeerState.Burst + 1 + seconds);
        Assert.Equal(1, host.Hub.Peers);
        host.Time.Skip(TimeSpan.FromMinutes(2));
        host.Know();
        host.Hub.Sweep();
        Assert.Equal((0, null), (host.Hub.Peers, host.Hub.Find(MadeUpMachines.Uuid(0))));
    }

    [Fact]
    public async Task Tell_AddressIsAnotherMachinesNow_TellsNothingAndEndsTheSession()
    {
        await using HubHost host = Ticked(2);
        (RawGuest entered, _) = await RawGuest.EnterAsync(host.Door(0));
        await using RawGuest guest = entered;
        host.Know(HubHost.Machine(1, host.Socket(0)));
        host.Tick();
        host.Hub.Sweep();
        List<Google.Protobuf.IMessage> rest = await guest.ReadToEndAsync();
        Assert.DoesNotContain(rest, message => message is Budget);
        Assert.Equal(WireReason.Refused, Assert.IsType<Goodbye>(rest[^1]).Reason);
    }

    [Fact]
    public async Task Greet_AgainOnASerialPortThatIsAnothersNow_IsRefused()
    {
        await using HubHost host = Ticked(2);
        await using UnixListener listener = new(Path.Combine(_folder, "serial"));
        MachineChannel serial = new(ChannelKind.VirtioSerial, 0, Path.Combine(_folder, "qemu-serial"));
        host.Know(HubHost.Machine(0, "x") with { Channels = [serial] });
        await using RawGuest guest = await RawGuest.ConnectAsync(Path.Combine(_folder, "serial"));
        ChannelConnection accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Task serving = host.Hub.ServeAsync(
            new ChannelConnection(accepted.Stream, new ChannelPeer(ChannelTransport.VirtioSerial, null, null, serial.Path)), TestContext.Current.CancellationToken);
        await guest.SendAsync(RawGuest.Hello());
        Assert.Equal(MadeUpMachines.Uuid(0), (await guest.NextAsync<Welcome>()).MachineUuid);
        await guest.SendAsync(RawGuest.Hello());
        Assert.Equal(MadeUpMachines.Uuid(0), (await guest.NextAsync<Welcome>()).MachineUuid);
        host.Know(HubHost.Machine(1, "x") with { Channels = [serial] });
        await guest.SendAsync(RawGuest.Hello());
        Assert.Equal(WireReason.Refused, Assert.IsType<Goodbye>((await guest.ReadToEndAsync())[^1]).Reason);
        await serving;
    }

    [Theory]
    [InlineData(100)]
    [InlineData(333)]
    [InlineData(500)]
    [InlineData(1_000)]
    [InlineData(2_500)]
    public async Task Mark_AnyTick_IntervalsAreASecondAndMore(int tickMilliseconds)
    {
        MadeUpMachines source = new(1) { TickNanoseconds = tickMilliseconds * 1_000_000L };
        await using HubHost host = new(_folder, 1, source);
        host.Tick();
        host.Tick();
        (RawGuest entered, _) = await RawGuest.EnterAsync(host.Door(0));
        await using RawGuest guest = entered;
        List<ulong> lengths = [];
        while (lengths.Count < 8)
        {
            ulong before = host.Outlet.Interval;
            host.Tick();
            if (host.Outlet.Interval != before)
            {
                Budget budget = await guest.NextAsync<Budget>();
                Assert.Equal(host.Outlet.Interval, budget.Interval);
                lengths.Add(budget.IntervalNanoseconds);
            }
        }

        // One may be a little early where ticks do not fit; not so their mean.
        Assert.All(lengths.Skip(1), length => Assert.InRange(length, 950_000_000ul, 1_000_000_000ul + (ulong)source.TickNanoseconds));
        Assert.InRange(lengths.Skip(1).Sum(length => (decimal)length), (7 * 1_000_000_000m) - 50_000_000m, decimal.MaxValue);
    }

    private HubHost Ticked(int machines, HostOptions? options = null)
    {
        HubHost host = new(_folder, machines, options: options);
        host.Tick();
        host.Tick();
        return host;
    }

    private static ulong Down(long microjoules) => (ulong)(microjoules - (microjoules % 1_000));

    private static void AssertIs(HubHost host, int machine, IdlePolicy policy, Budget budget)
    {
        (MachineTotals totals, ConsumerTotals consumer) = (host.Totals(machine), host.Consumer(machine));
        Assert.Equal(totals.Vcpus.Select(vcpu => Down(vcpu.Microjoules)), budget.VcpuActive.Select(figure => figure.EnergyMicrojoules));
        Assert.Equal(Down(totals.Overhead), budget.OverheadActive.EnergyMicrojoules);
        Assert.Equal(Down(consumer.Active[1]), budget.DramActive.EnergyMicrojoules);
        Assert.Equal(policy == IdlePolicy.Separate ? null : Down(consumer.Static(policy, 0)), budget.PackageStatic?.EnergyMicrojoules);
        Assert.Equal(policy == IdlePolicy.Separate ? null : Down(consumer.Static(policy, 1)), budget.DramStatic?.EnergyMicrojoules);
        Assert.True(totals.Vcpus.Sum(vcpu => vcpu.Microjoules) > 0);
        Assert.All(budget.VcpuActive, figure => Assert.InRange(figure.EnergyMicrojoules, figure.LowMicrojoules, figure.HighMicrojoules));
    }
}
