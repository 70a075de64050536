using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>
/// The host's side of one connection. <see cref="RunAsync"/> serves it from the first byte to the last; nothing that the guest does
/// makes it throw, and its memory is bounded: 4 KiB to read into, one frame while a larger one comes, one frame of each type to
/// send. The owner keeps one session per machine.
/// </summary>
public sealed class ChannelSession
{
    // A serial port may begin in the middle of what an earlier agent wrote.
    private const long SerialFaultsBorne = 16;
    private const long SerialBytesBorne = 2 * ChannelProtocol.MaxBody;

    private readonly ChannelConnection _connection;
    private readonly IChannelSessionHandler _handler;
    private readonly ChannelSessionOptions _options;
    private readonly TimeProvider _time;
    private readonly bool _serial;
    private readonly Lock _gate = new();
    private FrameLink? _link;
    private FrameLink? _greeted;
    private Goodbye? _closing;
    private bool _met;
    private long _greetings;
    private ChannelCounts _counts;

    /// <summary>A session over an accepted connection, which it owns; nothing happens before <see cref="RunAsync"/>.</summary>
    public ChannelSession(ChannelConnection connection, IChannelSessionHandler handler, ChannelSessionOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(connection);
        (_connection, _handler, _options, _time) = (connection, handler, options, time);
        _serial = connection.Peer.Transport == ChannelTransport.VirtioSerial;
    }

    /// <summary>Who is at the other end, as the hypervisor attests it.</summary>
    public ChannelPeer Peer => _connection.Peer;

    /// <summary>Whether the guest has been welcomed and the session goes on.</summary>
    public bool IsEstablished => Volatile.Read(ref _greeted) is not null;

    /// <summary>What this session has counted.</summary>
    public ChannelCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return _link?.AddTo(new ChannelCounts(_greetings, 0, 0, 0, 0, 0, 0)) ?? _counts;
            }
        }
    }

    /// <summary>Sends a Mark; one that has not gone out is superseded. May be called from any thread; the message may be used again at once.</summary>
    public PostResult Post(Mark mark) => Volatile.Read(ref _greeted)?.Post(mark) ?? PostResult.NotConnected;

    /// <summary>Sends a Budget; one that has not gone out is superseded. May be called from any thread; the message may be used again at once.</summary>
    public PostResult Post(Budget budget) => Volatile.Read(ref _greeted)?.Post(budget) ?? PostResult.NotConnected;

    /// <summary>Says goodbye with a reason and ends the session; returns at once, and may be called at any time from any thread.</summary>
    public void Close(WireReason reason, string detail)
    {
        _ = Interlocked.CompareExchange(ref _closing, new Goodbye { Reason = reason, Detail = detail }, null);
        Volatile.Read(ref _link)?.Stop();
    }

    /// <summary>Serves the connection to its end and closes it. Cancelling the token is a <see cref="Close"/> with Shutdown.</summary>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "disposed of in the finally")]
    public async Task<SessionEnd> RunAsync(CancellationToken cancellationToken)
    {
        var bytes = new RateBucket(_options.BytesPerSecond, _options.BytesBurst, _time);
        var frames = new RateBucket(_options.FramesPerSecond, _options.FramesBurst, _time);
        var link = new FrameLink(_connection, _options.WriteTimeout, _time, bytes, frames);
        Volatile.Write(ref _link, link);
        using CancellationTokenRegistration stop = cancellationToken.UnsafeRegister(static session => ((ChannelSession)session!).Close(WireReason.Shutdown, ""), this);
        try
        {
            SessionEnd end = await ServeAsync(link).ConfigureAwait(false);
            // A serial port with no talk going on would keep the farewell for whoever opens it next.
            if (end.Kind is SessionEndKind.Closed or SessionEndKind.Fault && (!_serial || _met))
            {
                _ = link.Post(new Goodbye { Reason = end.Reason, Detail = end.Detail });
            }

            return end;
        }
        finally
        {
            Volatile.Write(ref _greeted, null);
            await link.DisposeAsync().ConfigureAwait(false);
            lock (_gate)
            {
                _counts = Counts;
                _link = null;
            }
        }
    }

    private async Task<SessionEnd> ServeAsync(FrameLink link)
    {
        if (_options.RequirePrivilegedPort && Peer.SourcePort == SourcePort.Unprivileged)
        {
            return Fault(WireReason.UnprivilegedPort, $"source port {Peer.Port} is not below {ChannelProtocol.FirstUnprivilegedPort}");
        }

        AllowFaults(link.Decoder);
        if (!_serial)
        {
            link.ExpectWithin(_options.HandshakeTimeout);
        }

        while (true)
        {
            if (Volatile.Read(ref _closing) is { } closing)
            {
                return new SessionEnd(SessionEndKind.Closed, closing.Reason, closing.Detail);
            }

            ReadOutcome read = await link.ReadAsync().ConfigureAwait(false);
            if ((read.Kind == ReadKind.Frame ? Take(read.Frame.Message, link) : Ended(read.Kind, link)) is { } end)
            {
                return end;
            }
        }
    }

    // Handles a frame; gives the end that it brings, or null.
    private SessionEnd? Take(IMessage message, FrameLink link)
    {
        if (MessageRules.Fault(message) is { } fault)
        {
            return Fault(WireReason.Protocol, fault);
        }

        if (_serial && !IsEstablished && message is not Hello)
        {
            return null; // left over from an earlier talk
        }

        if (IsEstablished)
        {
            link.ExpectWithin(_options.IdleTimeout);
        }

        switch (message)
        {
            case Hello hello when _serial || !IsEstablished:
                return Greet(hello, link);
            case Goodbye goodbye:
                return new SessionEnd(SessionEndKind.PeerLeft, goodbye.Reason, goodbye.Detail);
            case Ack ack when IsEstablished:
                _handler.Acknowledged(this, ack);
                return null;
            case Usage usage when IsEstablished:
                _handler.Used(this, usage);
                return null;
            default:
                return Fault(WireReason.Protocol, $"a {message.GetType().Name} {(IsEstablished ? "from a guest that is in" : "before Hello")}");
        }
    }

    private SessionEnd? Greet(Hello hello, FrameLink link)
    {
        Volatile.Write(ref _greeted, null);
        _met = true;
        uint version = Math.Min(hello.HighestVersion, ChannelProtocol.Version);
        if (version < hello.LowestVersion || version == 0)
        {
            return Fault(WireReason.Version, $"the guest speaks versions {hello.LowestVersion} to {hello.HighestVersion}, the host {ChannelProtocol.Version}");
        }

        Greeting greeting = _handler.Greet(this, hello);
        if (greeting.Welcome is not { } welcome)
        {
            return Fault(greeting.Reason, greeting.Detail);
        }

        welcome.Version = version;
        welcome.Nonce = hello.Nonce;
        _ = link.Post(welcome);
        _greetings++;
        AllowFaults(link.Decoder);
        link.ExpectWithin(_options.IdleTimeout);
        Volatile.Write(ref _greeted, link);
        _handler.Established(this);
        return null;
    }

    private SessionEnd Ended(ReadKind kind, FrameLink link) => kind switch
    {
        ReadKind.End => new SessionEnd(SessionEndKind.PeerLeft, WireReason.Unspecified, "the guest closed the connection"),
        ReadKind.Garbage => Fault(WireReason.Garbage, $"{link.Decoder.Counts.SkippedBytes} bytes are no frames"),
        ReadKind.Flood => Fault(WireReason.Rate, $"more than {_options.FramesPerSecond} frames or {_options.BytesPerSecond} bytes a second"),
        ReadKind.Stopped when Volatile.Read(ref _closing) is { } closing => new SessionEnd(SessionEndKind.Closed, closing.Reason, closing.Detail),
        ReadKind.Stopped when link.Silent && IsEstablished => Fault(WireReason.IdleTimeout, $"nothing came for {_options.IdleTimeout.TotalSeconds} s"),
        ReadKind.Stopped when link.Silent => Fault(WireReason.HandshakeTimeout, $"no Hello within {_options.HandshakeTimeout.TotalSeconds} s"),
        ReadKind.Stopped when link.Written == WriteEnd.SlowReader => Fault(WireReason.SlowReader, $"a frame was not taken within {_options.WriteTimeout.TotalSeconds} s"),
        _ => new SessionEnd(SessionEndKind.Broken, WireReason.Unspecified, "the connection broke"),
    };

    // On a real connection the first bad byte is the guest's doing; on a serial port an agent that was killed leaves half a frame.
    private void AllowFaults(FrameDecoder decoder)
    {
        decoder.FaultsAllowed = decoder.Counts.Faults + (_serial ? SerialFaultsBorne : 0);
        decoder.SkippedBytesAllowed = decoder.Counts.SkippedBytes + (_serial ? SerialBytesBorne : 0);
    }

    private static SessionEnd Fault(WireReason reason, string detail) => new(SessionEndKind.Fault, reason, detail);
}
