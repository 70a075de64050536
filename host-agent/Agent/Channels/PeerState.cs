using Keck.VsockProtocol;

namespace Keck.Host;

/// <summary>
/// What is remembered of an address: how many connections it has, how often it may come again, and since when nothing was said of
/// it. Unprivileged ports of a guest are an address of their own, so that its users cannot shut out its agent.
/// </summary>
internal sealed class PeerState(TimeProvider time)
{
    /// <summary>Connections at once: a superseding one comes while the one before still ends.</summary>
    internal const int MostAtOnce = 4;

    /// <summary>Connections that may come in a row.</summary>
    internal const int Burst = 10;

    /// <summary>After a burst, one connection in this time.</summary>
    internal static readonly TimeSpan Refill = TimeSpan.FromSeconds(1);

    /// <summary>How long a guest that broke a rule is not let in.</summary>
    internal static readonly TimeSpan Penalty = TimeSpan.FromSeconds(5);

    /// <summary>How long one that came too early is not: its machine, or its account, may not be known yet.</summary>
    internal static readonly TimeSpan ShortPenalty = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private double _tokens = Burst;
    private long _stamp = time.GetTimestamp();
    private long? _until;
    private long? _said;
    private int _open;

    /// <summary>Lets a connection in (null), or says why not.</summary>
    internal ChannelRefusal? Enter()
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            _tokens = Math.Min(Burst, _tokens + (time.GetElapsedTime(_stamp, now) / Refill));
            _stamp = now;
            ChannelRefusal? refusal = now < _until ? ChannelRefusal.TooSoon : _open >= MostAtOnce ? ChannelRefusal.TooManyAtAddress : _tokens < 1 ? ChannelRefusal.TooOften : null;
            if (refusal is null)
            {
                _tokens--;
                _open++;
            }

            return refusal;
        }
    }

    /// <summary>A connection that was let in has ended.</summary>
    internal void Leave(SessionEnd? end)
    {
        lock (_gate)
        {
            _open--;
            if (end is { Kind: SessionEndKind.Fault } fault)
            {
                TimeSpan wait = fault.Reason == WireReason.Refused ? ShortPenalty : Penalty;
                _until = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
            }
        }
    }

    /// <summary>Whether something may be logged of this address: a guest does not fill the host's log.</summary>
    internal bool MaySay()
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            if (_said is { } said && time.GetElapsedTime(said, now) < Quiet)
            {
                return false;
            }

            _said = now;
            return true;
        }
    }

    /// <summary>Whether nothing needs to be remembered.</summary>
    internal bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                long now = time.GetTimestamp();
                return _open == 0 && !(now < _until) && time.GetElapsedTime(_stamp, now) > Burst * Refill
                    && (_said is not { } said || time.GetElapsedTime(said, now) >= Quiet);
            }
        }
    }
}
