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

    // The one in force, and those that end: all are counted.
    private readonly HashSet<ChannelSession> _attached = [];
    private ChannelSession? _session;
    private long _framesBefore;
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
    private long? _attributedNanoseconds;

    internal string Uuid => uuid;

    /// <summary>The session in force.</summary>
    internal ChannelSession? Session => Volatile.Read(ref _session);

    internal bool Connected => Session is { IsEstablished: true };

    /// <summary>Whether a session of it goes on.</summary>
    internal bool IsUsed
    {
        get
        {
            lock (_gate)
            {
                return _attached.Count > 0;
            }
        }
    }

    /// <summary>Takes a session that greets; the one before is superseded.</summary>
    internal void Adopt(ChannelSession session, Hello hello, DateTimeOffset now)
    {
        ChannelSession? older;
        lock (_gate)
        {
            older = _session == session ? null : _session;
            _session = session;
            _ = _attached.Add(session);
            _connections++;
            _agentVersion = hello.HasAgentVersion ? hello.AgentVersion : null;
            _since = now;
            (_ackNanoseconds, _drainNanoseconds, _attributedNanoseconds) = (null, null, null);
        }

        older?.Close(WireReason.Superseded, "a newer connection of this machine has taken over");
    }

    /// <summary>Lets go of a session that ended.</summary>
    internal void Release(ChannelSession session, SessionEnd end)
    {
        lock (_gate)
        {
            _ = _attached.Remove(session);
            _framesBefore += Frames(session);
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

    /// <summary>A connection was not let in.</summary>
    internal void Refused()
    {
        lock (_gate)
        {
            _rejected++;
            _lastRejection = "connections come too often, or too soon after a fault";
        }
    }

    internal void Mark(Mark mark, long at)
    {
        if (Session is not { IsEstablished: true } session)
        {
            return;
        }

        lock (_gate)
        {
            (_marked, _markedAt) = (mark.Interval, at);
        }

        _ = session.Post(mark);
    }

    internal void Acknowledged(ChannelSession session, Ack ack, long now)
    {
        lock (_gate)
        {
            if (session == _session && ack.Interval == _marked)
            {
                _ackNanoseconds = now - _markedAt;
                _drainNanoseconds = ack.HasDrainNanoseconds ? (long)Math.Min(ack.DrainNanoseconds, long.MaxValue) : null;
            }
        }
    }

    internal void Used(ChannelSession session, GuestReport report, long now)
    {
        lock (_gate)
        {
            // What a superseded session had still on its way is older.
            if (session != _session)
            {
                return;
            }

            _report = report;
            _attributedNanoseconds = report.Interval == _marked ? now - _markedAt : _attributedNanoseconds;
        }
    }

    /// <summary>Tells the guest its energy as of the interval's end. On the tick's thread.</summary>
    internal void Tell(ChannelSession session, MeteringEngine engine, IdlePolicy policy, ulong interval, ulong length)
    {
        if (engine.ReadMachine(uuid, policy, _figures))
        {
            MachineBudget.Fill(_budget, _figures, policy, interval, length);
            _ = session.Post(_budget);
        }
    }

    internal ChannelFacts Facts()
    {
        lock (_gate)
        {
            return new ChannelFacts
            {
                Connected = Connected,
                Peer = _session?.Peer.ToString(),
                Since = _session is null ? null : _since,
                AgentVersion = _agentVersion,
                Connections = _connections,
                Frames = _framesBefore + _attached.Sum(Frames),
                Rejected = _rejected,
                LastRejection = _lastRejection,
                AckNanoseconds = _ackNanoseconds,
                AttributedNanoseconds = _attributedNanoseconds,
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

    private static long Frames(ChannelSession session)
    {
        ChannelCounts counts = session.Counts;
        return counts.FramesRead + counts.FramesWritten;
    }
}
