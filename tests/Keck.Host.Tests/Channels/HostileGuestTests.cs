using System.Buffers.Binary;
using System.Text;
using Google.Protobuf;
using Keck.Metering;
using Keck.VsockProtocol;

namespace Keck.Host.Tests;

/// <summary>
/// One guest does its worst, round after round, by a seeded script; its neighbour must get each budget, the host must stay small,
/// and nothing that the hostile one is sent may be another's.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class HostileGuestTests : IDisposable
{
    private const int Hostile = 0;
    private const int Neighbour = 1;
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-hub-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [Trait("Speed", "slow")]
    [InlineData(1)]
    [InlineData(20_261_124)]
    public async Task Serve_HostileGuest_HurtsNobodyAndLearnsNothing(int seed)
    {
        const int Rounds = 120;
        await using HubHost host = new(_folder, 3);
        host.Tick();
        host.Tick();
        (RawGuest entered, _) = await RawGuest.EnterAsync(host.Door(Neighbour));
        await using RawGuest neighbour = entered;
        Random random = new(seed);
        List<RawGuest> kept = [];
        long from = host.Time.GetTimestamp();
        await RoundsAsync(20);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await RoundsAsync(Rounds);
        foreach (RawGuest guest in kept)
        {
            await guest.DisposeAsync();
        }

        await Until.TrueAsync(() => host.Hub.Sessions == 1, "the end of the hostile sessions");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 4L << 20);

        // What a guest makes the host do is bounded by time, not by what it sends: connections, and frames by connection.
        MachineChannelState channel = host.Hub.Find(MadeUpMachines.Uuid(Hostile))!;
        ChannelSessionOptions limits = new();
        double seconds = host.Time.GetElapsedTime(from).TotalSeconds;
        Assert.InRange(channel.Facts().Connections, 1, PeerState.Burst + seconds + 1);
        Assert.InRange(channel.Facts().Frames, 1, (PeerState.Burst + seconds + 1) * limits.FramesBurst * 2);
        Assert.True(channel.Facts().Rejected > Rounds / 2, "most of it was seen for what it is");
        Assert.InRange(host.Hub.Peers, 2, 3);
        Assert.Equal(0, host.Hub.Find(MadeUpMachines.Uuid(Neighbour))!.Facts().Rejected);
        Assert.True(GuestBytes(channel) <= GuestClaims.MostBytes);

        async Task RoundsAsync(int rounds)
        {
            for (int round = 0; round < rounds; round++)
            {
                Task attack = AttackAsync(host, random, kept);
                host.Tick();
                Budget budget = await neighbour.NextAsync<Budget>();
                Assert.Equal(host.Outlet.Interval, budget.Interval);
                Assert.Equal(host.Totals(Neighbour).Vcpus[0].Microjoules / 1_000 * 1_000, (long)budget.VcpuActive[0].EnergyMicrojoules);
                await attack;
                Assert.InRange(host.Hub.Sessions, 1, 1 + PeerState.MostAtOnce);
                host.Time.Skip(PeerState.Penalty);
                if (round % 10 == 0)
                {
                    host.Hub.Sweep();
                }
            }
        }
    }

    private static async Task AttackAsync(HubHost host, Random random, List<RawGuest> kept)
    {
        RawGuest guest = await RawGuest.ConnectAsync(host.Door(Hostile));
        bool keep = false;
        switch (random.Next(12))
        {
            case 0: // random bytes
                byte[] bytes = new byte[random.Next(1, 20_000)];
                random.NextBytes(bytes);
                _ = await guest.SendBytesAsync(bytes);
                break;
            case 1: // well-formed frames of random bodies
                await guest.SendAsync(RawGuest.Hello());
                for (int i = 0; i < 8; i++)
                {
                    byte[] body = new byte[random.Next(200)];
                    random.NextBytes(body);
                    if (!await guest.SendBytesAsync(Framed((byte)random.Next(256), body)))
                    {
                        break;
                    }
                }

                break;
            case 2: // more than a frame may hold
                byte[] oversize = Framed(1, new byte[16]);
                BinaryPrimitives.WriteUInt32LittleEndian(oversize.AsSpan(4), (uint)random.Next(ChannelProtocol.MaxBody + 1, int.MaxValue));
                _ = await guest.SendBytesAsync(oversize);
                break;
            case 3: // a flood of small good frames
                await guest.SendAsync(RawGuest.Hello());
                byte[] ack = FrameCodec.Encode(new Ack { Interval = (ulong)random.NextInt64() });
                for (int i = 0; i < 5_000 && await guest.SendBytesAsync(ack); i++)
                {
                }

                break;
            case 4: // a flood of the largest good frames
                await guest.SendAsync(RawGuest.Hello());
                byte[] usage = FrameCodec.Encode(Claims(random));
                for (int i = 0; i < 100 && await guest.SendBytesAsync(usage); i++)
                {
                }

                break;
            case 5: // an epoch, a name and a boot id that are another's
                Hello forged = RawGuest.Hello("vm-1");
                forged.GuestEpoch = ByteString.CopyFrom(new byte[ChannelProtocol.EpochBytes]);
                forged.BootId = MadeUpMachines.Uuid(Neighbour);
                await guest.SendAsync(forged, Claims(random), new Ack { Interval = host.Outlet.Interval, DrainNanoseconds = ulong.MaxValue });
                Assert.Equal(MadeUpMachines.Uuid(Hostile), ((await guest.ReadAsync()) as Welcome)?.MachineUuid ?? MadeUpMachines.Uuid(Hostile));
                break;
            case 6: // an epoch of a wrong length
                Hello wrong = RawGuest.Hello();
                wrong.GuestEpoch = ByteString.CopyFrom(1, 2, 3);
                await guest.SendAsync(wrong);
                break;
            case 7: // what only a host says
                await guest.SendAsync(RawGuest.Hello(), new Welcome { Version = 1, HostEpoch = ByteString.CopyFrom(new byte[16]), MachineUuid = MadeUpMachines.Uuid(Neighbour) });
                break;
            case 8: // reads nothing, and stays
                await guest.SendAsync(RawGuest.Hello());
                keep = true;
                break;
            case 9: // half a frame, and stays
                _ = await guest.SendBytesAsync(FrameCodec.Encode(RawGuest.Hello())[..random.Next(1, 20)]);
                keep = true;
                break;
            case 10: // one connection after the other
                for (int i = 0; i < 40; i++)
                {
                    await using RawGuest another = await RawGuest.ConnectAsync(host.Door(Hostile));
                    _ = await another.SendBytesAsync(FrameCodec.Encode(RawGuest.Hello()));
                }

                break;
            default: // good frames with a byte changed
                byte[] good = [.. FrameCodec.Encode(RawGuest.Hello()), .. FrameCodec.Encode(Claims(random))];
                good[random.Next(good.Length)] ^= (byte)random.Next(1, 256);
                _ = await guest.SendBytesAsync(good);
                break;
        }

        if (keep)
        {
            kept.Add(guest);
            return;
        }

        guest.HangUp();
        foreach (IMessage message in await guest.ReadToEndAsync())
        {
            AssertIsItsOwn(host, message);
        }

        await guest.DisposeAsync();
    }

    // Energies of different machines differ in the made-up host, so that another's figure would show.
    private static void AssertIsItsOwn(HubHost host, IMessage message)
    {
        string text = Encoding.UTF8.GetString(message.ToByteArray());
        for (int other = 1; other < 3; other++)
        {
            Assert.DoesNotContain(MadeUpMachines.Uuid(other), text, StringComparison.Ordinal);
            Assert.DoesNotContain($"vm-{other}", text, StringComparison.Ordinal);
        }

        if (message is Budget budget)
        {
            MachineTotals own = host.Totals(Hostile);
            Assert.Equal(own.Vcpus.Select(vcpu => vcpu.Microjoules / 1_000 * 1_000), budget.VcpuActive.Select(figure => (long)figure.EnergyMicrojoules));
        }
    }

    private static Usage Claims(Random random)
    {
        Usage usage = new() { Seq = (ulong)random.NextInt64(), Interval = 1 };
        for (int line = 0; line < 250; line++)
        {
            usage.Top.Add(new WireUsage
            {
                Kind = (WireUsageKind)random.Next(4),
                Pid = (uint)random.Next(),
                Name = new string((char)random.Next(0x4e00, 0x9000), random.Next(60)),
                PodUid = MadeUpMachines.Uuid(Neighbour),
                Energy = new WireFigure { EnergyMicrojoules = long.MaxValue },
            });
        }

        return usage;
    }

    private static long GuestBytes(MachineChannelState channel) => channel.Report()?.Consumers
        .Sum(consumer => 160L + (2 * ((consumer.Name?.Length ?? 0) + (consumer.PodUid?.Length ?? 0)))) ?? 0;

    private static byte[] Framed(byte type, byte[] body)
    {
        byte[] frame = FrameCodec.Encode(new Mark { Interval = 1 });
        byte[] framed = [.. frame[..FrameCodec.HeaderSize], .. body];
        framed[3] = type;
        BinaryPrimitives.WriteUInt32LittleEndian(framed.AsSpan(4), (uint)body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(framed.AsSpan(8), FrameCodec.Checksum(framed));
        return framed;
    }
}
