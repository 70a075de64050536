using System.Collections.Concurrent;
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

    /// <summary>How long a guest that broke a rule is not let in.</summary>
    private static readonly TimeSpan Penalty = TimeSpan.FromSeconds(5);

    // A machine may come back under another of its addresses; one at a time is let in from each.
    private readonly ConcurrentDictionary<string, MachineChannelState> _byMachine = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ChannelSession, MachineChannelState> _bySession = new();
    private readonly ConcurrentDictionary<(uint? Cid, string? Path), PeerState> _peers = new();
    private readonly ChannelSessionOptions _limits = new();
    private int _sessions;
    private long _refused;

    /// <summary>Connections from nobody we know, or beyond a limit.</summary>
    internal long Refused => Interlocked.Read(ref _refused);

    /// <summary>Serves one accepted connection to its end.</summary>
    internal async Task ServeAsync(ChannelConnection connection, CancellationToken cancellationToken)
    {
        (uint?, string?) address = (connection.Peer.Cid, connection.Peer.Path);
        PeerState peer = _peers.GetOrAdd(address, static _ => new PeerState());
        if (!peer.Enter(time.GetTimestamp()) || Interlocked.Increment(ref _sessions) > MostSessions)
        {
            _ = Interlocked.Increment(ref _refused);
            await connection.DisposeAsync().ConfigureAwait(false);
            return;
        }

        ChannelSession session = new(connection, this, _limits, time);
        try
        {
            SessionEnd end = await session.RunAsync(cancellationToken).ConfigureAwait(false);
            if (end.Kind == SessionEndKind.Fault)
            {
                peer.Punish(time.GetTimestamp() + (long)(Penalty.TotalSeconds * time.TimestampFrequency));
                Log.Ended(logger, session.Peer, end.Reason, end.Detail);
            }

            if (_bySession.TryRemove(session, out MachineChannelState? channel))
            {
                channel.Release(session, end);
            }
            else if (end.Kind == SessionEndKind.Fault && MachineOf(session.Peer) is { } machine)
            {
                ChannelOf(machine.Uuid).Release(session, end);
            }
        }
        finally
        {
            _ = Interlocked.Decrement(ref _sessions);
            peer.Leave();
        }
    }

    /// <summary>Tells every guest that an interval ends now. On the tick's thread.</summary>
    internal void Mark(ulong interval, long hostNanoseconds)
    {
        Mark mark = new() { Interval = interval, HostMonotonicNanoseconds = (ulong)hostNanoseconds };
        long now = Now();
        foreach (MachineChannelState channel in _byMachine.Values)
        {
            channel.Mark(mark, now);
        }
    }

    /// <summary>Tells every guest its energy. On the tick's thread.</summary>
    internal void Tell(ulong interval, ulong length)
    {
        foreach (MachineChannelState channel in _byMachine.Values)
        {
            channel.Tell(engine, options.Idle, interval, length);
        }
    }

    /// <summary>How a machine's channel stands; null where nobody ever came.</summary>
    internal MachineChannelState? Find(string uuid) => _byMachine.GetValueOrDefault(uuid);

    /// <summary>Whether anybody is to be told anything.</summary>
    internal bool AnyConnected => _byMachine.Values.Any(static channel => channel.Connected);

    /// <summary>Forgets machines that are gone and addresses that nobody uses.</summary>
    internal void Sweep()
    {
        MachineInventory inventory = machines();
        foreach (MachineChannelState channel in _byMachine.Values)
        {
            if (!channel.Connected && inventory.Find(channel.Uuid) is null)
            {
                _ = _byMachine.TryRemove(channel.Uuid, out _);
            }
        }

        long now = time.GetTimestamp();
        foreach (((uint?, string?) address, PeerState peer) in _peers)
        {
            if (peer.Idle(now))
            {
                _ = _peers.TryRemove(address, out _);
            }
        }
    }

    /// <inheritdoc/>
    public Greeting Greet(ChannelSession session, Hello hello)
    {
        if (MachineOf(session.Peer) is not { } machine)
        {
            return Greeting.Refuse(WireReason.Refused, "this address belongs to no machine that the host knows");
        }

        MachineFigures figures = new();
        if (!engine.ReadMachine(machine.Uuid, options.Idle, figures))
        {
            // Its account opens with the next tick; the guest tries again soon.
            return Greeting.Refuse(WireReason.Refused, "the machine has just started: try again");
        }

        MachineChannelState channel = ChannelOf(machine.Uuid);
        _bySession[session] = channel;
        channel.Adopt(session, hello, time.GetUtcNow());
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

        Log.Welcomed(logger, machine.Uuid, machine.Name ?? "", session.Peer);
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
            channel.Acknowledged(ack, Now());
        }
    }

    /// <inheritdoc/>
    public void Used(ChannelSession session, Usage usage)
    {
        if (_bySession.TryGetValue(session, out MachineChannelState? channel))
        {
            channel.Used(GuestClaims.Report(usage, time.GetUtcNow()));
        }
    }

    private MachineChannelState ChannelOf(string uuid) => _byMachine.GetOrAdd(uuid, static key => new MachineChannelState(key));

    private Machine? MachineOf(ChannelPeer peer) => peer.Transport switch
    {
        ChannelTransport.Vsock => peer.Cid is { } cid ? machines().FindByCid(cid) : null,
        ChannelTransport.VirtioSerial => machines().FindBySocket(ChannelKind.VirtioSerial, peer.Path!),
        _ => machines().FindBySocket(ChannelKind.HybridVsock, ChannelListeners.SocketOf(peer.Path!)),
    };

    private long Now() => (long)time.GetElapsedTime(0).TotalNanoseconds;

    /// <summary>What is remembered of an address.</summary>
    private sealed class PeerState
    {
        // A superseding connection comes while the one before still ends.
        private const int MostAtOnce = 4;
        private int _open;
        private long _until;

        internal bool Enter(long now)
        {
            if (now < Interlocked.Read(ref _until))
            {
                return false;
            }

            if (Interlocked.Increment(ref _open) <= MostAtOnce)
            {
                return true;
            }

            _ = Interlocked.Decrement(ref _open);
            return false;
        }

        internal void Leave() => Interlocked.Decrement(ref _open);

        internal void Punish(long until) => Interlocked.Exchange(ref _until, until);

        internal bool Idle(long now) => Volatile.Read(ref _open) == 0 && now >= Interlocked.Read(ref _until);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5201, Level = LogLevel.Information, Message = "Guest agent of machine {Uuid} {Name} connected from {Peer}")]
        internal static partial void Welcomed(ILogger logger, string uuid, string name, ChannelPeer peer);

        [LoggerMessage(EventId = 5202, Level = LogLevel.Warning, Message = "Connection from {Peer} ended: {Reason}, {Detail}")]
        internal static partial void Ended(ILogger logger, ChannelPeer peer, WireReason reason, string detail);
    }
}
