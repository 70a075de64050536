using Keck.Agent;
using Keck.Metering;
using Keck.VsockProtocol;

namespace Keck.Host;

/// <summary>One machine's channel: the session in force, what was counted before it, and what its guest said last.</summary>
internal sealed class MachineChannelState(string uuid)
{
    private readonly Lock _gate = new();
    private readonly MachineFigures _figures = new();
    private readonly Budget _budget = new();
    private ChannelSession? _session;
    private ChannelCounts _past;
    private long _connections;
    private long _rejected;
    private string? _lastRejection;
    private string? _agentVersion;
    private DateTimeOffset? _since;
    private GuestReport? _report;
    private ulong _marked;
    private long _markedAt;
    private long? _ackNanoseconds;
    private long? _drainNanoseconds;

    internal string Uuid => uuid;

    internal bool Connected => Volatile.Read(ref _session) is { IsEstablished: true };

    /// <summary>Takes a session that greets; the one before is superseded.</summary>
    internal void Adopt(ChannelSession session, Hello hello, DateTimeOffset now)
    {
        ChannelSession? older;
        lock (_gate)
        {
            older = _session == session ? null : _session;
            _session = session;
            _connections++;
            _agentVersion = hello.HasAgentVersion ? hello.AgentVersion : null;
            _since = now;
            (_ackNanoseconds, _drainNanoseconds) = (null, null);
        }

        older?.Close(WireReason.Superseded, "a newer connection of this machine has taken over");
    }

    /// <summary>Lets go of a session that ended.</summary>
    internal void Release(ChannelSession session, SessionEnd end)
    {
        lock (_gate)
        {
            ChannelCounts counts = session.Counts;
            _past = _past with { FramesRead = _past.FramesRead + counts.FramesRead, FramesWritten = _past.FramesWritten + counts.FramesWritten };
            if (_session == session)
            {
                _session = null;
            }

            if (end.Kind == SessionEndKind.Fault)
            {
                _rejected++;
                _lastRejection = end.Detail.Length > 0 ? end.Detail : end.Reason.ToString();
            }
        }
    }

    internal void Mark(Mark mark, long at)
    {
        ChannelSession? session = Volatile.Read(ref _session);
        if (session?.Post(mark) is PostResult.NotConnected or null)
        {
            return;
        }

        lock (_gate)
        {
            (_marked, _markedAt) = (mark.Interval, at);
        }
    }

    internal void Acknowledged(Ack ack, long now)
    {
        lock (_gate)
        {
            if (ack.Interval == _marked)
            {
                _ackNanoseconds = now - _markedAt;
                _drainNanoseconds = ack.HasDrainNanoseconds ? (long)Math.Min(ack.DrainNanoseconds, long.MaxValue) : null;
            }
        }
    }

    internal void Used(GuestReport report)
    {
        lock (_gate)
        {
            _report = report;
        }
    }

    /// <summary>Tells the guest its energy as of the interval's end. On the tick's thread.</summary>
    internal void Tell(MeteringEngine engine, IdlePolicy policy, ulong interval, ulong length)
    {
        if (Volatile.Read(ref _session) is { IsEstablished: true } session && engine.ReadMachine(uuid, policy, _figures))
        {
            MachineBudget.Fill(_budget, _figures, policy, interval, length);
            _ = session.Post(_budget);
        }
    }

    internal ChannelFacts Facts()
    {
        lock (_gate)
        {
            ChannelCounts counts = _session?.Counts ?? default;
            return new ChannelFacts
            {
                Connected = Connected,
                Peer = _session?.Peer.ToString(),
                Since = _session is null ? null : _since,
                AgentVersion = _agentVersion,
                Connections = _connections,
                Frames = _past.FramesRead + _past.FramesWritten + counts.FramesRead + counts.FramesWritten,
                Rejected = _rejected,
                LastRejection = _lastRejection,
                AckNanoseconds = _ackNanoseconds,
                DrainNanoseconds = _drainNanoseconds,
            };
        }
    }

    internal GuestReport? Report()
    {
        lock (_gate)
        {
            return _report;
        }
    }
}
