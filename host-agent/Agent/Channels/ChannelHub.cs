using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Keck.Agent;
using Keck.Metering;
using Keck.Virt;
using Keck.VsockProtocol;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>
/// Serves the guests of this host: one session per machine, the newest wins. Who a guest is, is what the hypervisor attests (its
/// context id, or the path of its socket); what it says is stored as its word. A guest that breaks a rule loses its connection and
/// must wait before it may come again.
/// </summary>
internal sealed partial class ChannelHub(Func<MachineInventory> machines, MeteringEngine engine, HostOptions options, TimeProvider time, ILogger logger)
    : IChannelSessionHandler
{
    /// <summary>Connections at once, greeted or not.</summary>
    internal const int MostSessions = 4096;

    // A guest acknowledges every Mark: several intervals without anything, and it is gone.
    private const int SilentIntervals = 5;

    // In the order of ChannelRefusal.
    private static readonly ImmutableArray<string> Labels = ["too_often", "too_soon", "too_many_at_address", "too_many", "unprivileged_port", "no_machine", "protocol"];

    private readonly ConcurrentDictionary<string, MachineChannelState> _byMachine = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ChannelSession, MachineChannelState> _bySession = new();

    // As many as there are machines with an address, twice, and those that went since the last sweep.
    private readonly ConcurrentDictionary<(uint? Cid, string? Path, SourcePort Port), PeerState> _peers = new();
    private readonly ChannelSessionOptions _limits = Limits(options.ChannelInterval);
    private readonly Lock _adopting = new();
    private readonly long[] _refusals = new long[Labels.Length];
    private int _sessions;

    /// <summary>Connections that were not let in or let go, by why; all reasons, in the order of <see cref="ChannelRefusal"/>.</summary>
    internal ImmutableArray<(string Reason, long Count)> Refusals => [.. Labels.Select((label, i) => (label, Interlocked.Read(ref _refusals[i])))];

    /// <summary>How many for one reason.</summary>
    internal long Refused(ChannelRefusal why) => Interlocked.Read(ref _refusals[(int)why]);

    /// <summary>Connections being served.</summary>
    internal int Sessions => Volatile.Read(ref _sessions);

    /// <summary>Addresses remembered.</summary>
    internal int Peers => _peers.Count;

    /// <summary>Whether anybody is to be told anything.</summary>
    internal bool AnyConnected
    {
        get
        {
            foreach ((string _, MachineChannelState channel) in _byMachine)
            {
                if (channel.Connected)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Serves one accepted connection to its end.</summary>
    /// <returns>False where it was not let in; that is known at once.</returns>
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Top of a session's loop: what fails for one guest fails for no other.")]
    internal async Task<bool> ServeAsync(ChannelConnection connection, CancellationToken cancellationToken)
    {
        PeerState peer = _peers.GetOrAdd((connection.Peer.Cid, connection.Peer.Path, connection.Peer.SourcePort), _ => new PeerState(time));
        if (Enter(peer) is { } why)
        {
            Count(why);
            if (MachineOf(machines(), connection.Peer) is { } refused)
            {
                ChannelOf(refused.Uuid).Refused();
            }

            await connection.DisposeAsync().ConfigureAwait(false);
            return false;
        }

        // Whoever accepts goes on accepting, however much this guest has to say.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        ChannelSession session = new(connection, this, _limits, time);
        SessionEnd end = new(SessionEndKind.Fault, WireReason.Unspecified, "the host failed");
        try
        {
            end = await session.RunAsync(cancellationToken).ConfigureAwait(false);
            if (end.Kind == SessionEndKind.Fault)
            {
                Count(end.Reason switch
                {
                    WireReason.UnprivilegedPort => ChannelRefusal.UnprivilegedPort,
                    WireReason.Refused => ChannelRefusal.NoMachine,
                    _ => ChannelRefusal.Protocol,
                });
            }

            if (end.Kind == SessionEndKind.Fault && peer.MaySay())
            {
                Log.Ended(logger, session.Peer, end.Reason, end.Detail);
            }
        }
        catch (Exception e)
        {
            Log.Failed(logger, e, session.Peer);
        }
        finally
        {
            Release(session, end);
            _ = Interlocked.Decrement(ref _sessions);
            peer.Leave(end);
        }

        return true;
    }

    /// <summary>Tells every guest that an interval ends now. On the tick's thread.</summary>
    internal void Mark(ulong interval, long hostNanoseconds)
    {
        Mark mark = new() { Interval = interval, HostMonotonicNanoseconds = (ulong)hostNanoseconds };
        long now = Now();
        foreach ((string _, MachineChannelState channel) in _byMachine)
        {
            channel.Mark(mark, now);
        }
    }

    /// <summary>Tells every guest its energy. On the tick's thread.</summary>
    internal void Tell(ulong interval, ulong length)
    {
        MachineInventory inventory = machines();
        foreach ((string uuid, MachineChannelState channel) in _byMachine)
        {
            if (channel.Session is { IsEstablished: true } session && IsStill(inventory, session.Peer, uuid))
            {
                channel.Tell(session, engine, options.Idle, interval, length);
            }
        }
    }

    /// <summary>How a machine's channel stands; null where nobody ever came.</summary>
    internal MachineChannelState? Find(string uuid) => _byMachine.GetValueOrDefault(uuid);

    /// <summary>Ends sessions whose address is another machine's now; forgets machines that are gone and addresses that nobody uses.</summary>
    internal void Sweep()
    {
        MachineInventory inventory = machines();
        foreach ((ChannelSession session, MachineChannelState channel) in _bySession)
        {
            if (!IsStill(inventory, session.Peer, channel.Uuid))
            {
                session.Close(WireReason.Refused, "this address belongs to this machine no more");
            }
        }

        lock (_adopting)
        {
            foreach ((string uuid, MachineChannelState channel) in _byMachine)
            {
                if (!channel.IsUsed && inventory.Find(uuid) is null)
                {
                    _ = _byMachine.TryRemove(uuid, out _);
                }
            }
        }

        foreach (((uint?, string?, SourcePort) address, PeerState peer) in _peers)
        {
            if (peer.IsIdle)
            {
                _ = _peers.TryRemove(address, out _);
            }
        }
    }

    /// <inheritdoc/>
    public Greeting Greet(ChannelSession session, Hello hello)
    {
        if (MachineOf(machines(), session.Peer) is not { } machine)
        {
            return Greeting.Refuse(WireReason.Refused, "this address belongs to no machine that the host knows");
        }

        if (_bySession.TryGetValue(session, out MachineChannelState? before) && before.Uuid != machine.Uuid)
        {
            // A serial port that greets again: what is on its way to it was another's.
            return Greeting.Refuse(WireReason.Refused, "this address belongs to another machine now: connect again");
        }

        MachineFigures figures = new();
        if (!engine.ReadMachine(machine.Uuid, options.Idle, figures))
        {
            // Its account opens with the next tick; the guest tries again soon.
            return Greeting.Refuse(WireReason.Refused, "the machine has just started: try again");
        }

        lock (_adopting)
        {
            MachineChannelState channel = ChannelOf(machine.Uuid);
            _bySession[session] = channel;
            channel.Adopt(session, hello, time.GetUtcNow());
        }

        Welcome welcome = new()
        {
            MachineUuid = machine.Uuid,
            IntervalNanoseconds = (ulong)options.ChannelInterval.TotalNanoseconds,
            IdlePolicy = MachineBudget.Policy(options.Idle),
            HostEpoch = MachineBudget.Epoch(engine.Epoch, figures.Series),
            QuantumMicrojoules = ChannelProtocol.QuantumMicrojoules,
        };
        if (machine.Name is { } name)
        {
            welcome.MachineName = name;
        }

        if (machine.Vcpus is > 0 and <= ChannelProtocol.MaxVcpus)
        {
            welcome.Vcpus = (uint)machine.Vcpus;
        }

        if (before is null && _peers.TryGetValue((session.Peer.Cid, session.Peer.Path, session.Peer.SourcePort), out PeerState? peer) && peer.MaySay())
        {
            Log.Welcomed(logger, machine.Uuid, machine.Name ?? "", session.Peer);
        }

        return Greeting.Accept(welcome);
    }

    /// <inheritdoc/>
    public void Established(ChannelSession session)
    {
    }

    /// <inheritdoc/>
    public void Acknowledged(ChannelSession session, Ack ack)
    {
        if (_bySession.TryGetValue(session, out MachineChannelState? channel))
        {
            channel.Acknowledged(session, ack, Now());
        }
    }

    /// <inheritdoc/>
    public void Used(ChannelSession session, Usage usage)
    {
        if (_bySession.TryGetValue(session, out MachineChannelState? channel))
        {
            channel.Used(session, GuestClaims.Report(usage, time.GetUtcNow()), Now());
        }
    }

    private static ChannelSessionOptions Limits(TimeSpan interval)
    {
        ChannelSessionOptions usual = new();
        TimeSpan idle = interval * SilentIntervals;
        return idle <= usual.IdleTimeout ? usual : new ChannelSessionOptions { IdleTimeout = idle };
    }

    private static Machine? MachineOf(MachineInventory inventory, ChannelPeer peer) => peer.Transport switch
    {
        ChannelTransport.Vsock => peer.Cid is { } cid ? inventory.FindByCid(cid) : null,
        ChannelTransport.VirtioSerial => peer.Path is { } path ? inventory.FindBySocket(ChannelKind.VirtioSerial, path) : null,
        _ => peer.Path is { } beside && ChannelListeners.SocketOf(beside) is { } socket ? inventory.FindBySocket(ChannelKind.HybridVsock, socket) : null,
    };

    // An address that several claim now attests nobody anew; whoever had it before is still at the other end of what it opened.
    private static bool IsStill(MachineInventory inventory, ChannelPeer peer, string uuid) =>
        MachineOf(inventory, peer) is { } machine ? machine.Uuid == uuid : inventory.Find(uuid) is not null;

    private void Count(ChannelRefusal why) => Interlocked.Increment(ref _refusals[(int)why]);

    private ChannelRefusal? Enter(PeerState peer)
    {
        if (peer.Enter() is { } why)
        {
            return why;
        }

        if (Interlocked.Increment(ref _sessions) <= MostSessions)
        {
            return null;
        }

        _ = Interlocked.Decrement(ref _sessions);
        peer.Leave(null);
        return ChannelRefusal.TooMany;
    }

    private void Release(ChannelSession session, SessionEnd end)
    {
        if (_bySession.TryRemove(session, out MachineChannelState? channel))
        {
            channel.Release(session, end);
        }
        else if (MachineOf(machines(), session.Peer) is { } machine)
        {
            // It never got in: counted all the same.
            ChannelOf(machine.Uuid).Release(session, end);
        }
    }

    private MachineChannelState ChannelOf(string uuid) => _byMachine.GetOrAdd(uuid, static key => new MachineChannelState(key));

    private long Now() => (long)time.GetElapsedTime(0).TotalNanoseconds;

    private static partial class Log
    {
        [LoggerMessage(EventId = 5201, Level = LogLevel.Information, Message = "Guest agent of machine {Uuid} {Name} connected from {Peer}")]
        internal static partial void Welcomed(ILogger logger, string uuid, string name, ChannelPeer peer);

        [LoggerMessage(EventId = 5202, Level = LogLevel.Warning, Message = "Connection from {Peer} ended: {Reason}, {Detail}; said once a minute at most")]
        internal static partial void Ended(ILogger logger, ChannelPeer peer, WireReason reason, string detail);

        [LoggerMessage(EventId = 5203, Level = LogLevel.Error, Message = "Serving {Peer} failed; this is a bug")]
        internal static partial void Failed(ILogger logger, Exception exception, ChannelPeer peer);
    }
}
