using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Keck.VsockProtocol;

/// <summary>
/// The guest's side of the channel: connect, Hello, Welcome, then frames as they come; cut, wait, and again, for as long as
/// somebody enumerates <see cref="RunAsync"/>. Holds one connection at a time.
/// </summary>
/// <param name="connector">Opens connections.</param>
/// <param name="hello">Makes the Hello of a connection; versions and nonce are put in here.</param>
/// <param name="options">Limits.</param>
/// <param name="time">The clock of all limits and waits.</param>
/// <param name="random">Jitter and nonces.</param>
public sealed class ChannelClient(IChannelConnector connector, Func<Hello> hello, ChannelClientOptions options, TimeProvider time, Random random)
{
    // The host is trusted, but a serial port may hold what an earlier talk left there.
    private const long FaultsBorne = 64;
    private const long SkippedBytesBorne = 4 * ChannelProtocol.MaxBody;

    private readonly Lock _gate = new();
    private FrameLink? _link;
    private FrameLink? _greeted;
    private ChannelCounts _past;

    /// <summary>Whether the host has let us in.</summary>
    public bool IsConnected => Volatile.Read(ref _greeted) is not null;

    /// <summary>Everything counted since the start.</summary>
    public ChannelCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return _link?.AddTo(_past) ?? _past;
            }
        }
    }

    /// <summary>Sends an Ack; one that has not gone out yet is superseded. May be called from any thread.</summary>
    public PostResult Post(Ack ack) => Volatile.Read(ref _greeted)?.Post(ack) ?? PostResult.NotConnected;

    /// <summary>Sends a Usage; one that has not gone out yet is superseded. Throws where it is larger than a frame (<see cref="FrameCodec.SizeOf"/>).</summary>
    public PostResult Post(Usage usage) => Volatile.Read(ref _greeted)?.Post(usage) ?? PostResult.NotConnected;

    /// <summary>
    /// The channel's events, without end: a Connected, its Marks and Budgets, a Disconnected, and again; attempts that fail are a
    /// Disconnected each. Ends quietly when the token is cancelled, after a Goodbye. The connection waits while an event is handled.
    /// </summary>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "the link owns the connection and is disposed of in the finally below")]
    public async IAsyncEnumerable<ChannelEvent> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var backoff = new Backoff(options.FirstWait, options.LongestWait, random);
        while (!cancellationToken.IsCancellationRequested)
        {
            (ChannelConnection? connection, string why) = await ConnectAsync(cancellationToken).ConfigureAwait(false);
            if (connection is not null)
            {
                var link = new FrameLink(connection, options.WriteTimeout, time);
                using CancellationTokenRegistration stop = cancellationToken.UnsafeRegister(static link => ((FrameLink)link!).Stop(), link);
                try
                {
                    ulong nonce = Greet(link);
                    Welcome? welcome = null;
                    while (true)
                    {
                        ReadOutcome read = await link.ReadAsync().ConfigureAwait(false);
                        long stamp = time.GetTimestamp();
                        ChannelEvent happened = Take(read, link, nonce, ref welcome, stamp);
                        if (happened.Kind == ChannelEventKind.Disconnected)
                        {
                            if (happened.Detail.Length == 0)
                            {
                                continue; // a frame that is of no use here
                            }

                            why = happened.Detail;
                            break;
                        }

                        if (happened.Kind == ChannelEventKind.Connected)
                        {
                            Volatile.Write(ref _greeted, link);
                            lock (_gate)
                            {
                                _past = _past with { Connections = _past.Connections + 1 };
                            }
                        }
                        else
                        {
                            backoff.Reset(); // a host that greets and then hangs up is no success yet
                        }

                        yield return happened;
                    }
                }
                finally
                {
                    Volatile.Write(ref _greeted, null);
                    if (cancellationToken.IsCancellationRequested)
                    {
                        _ = link.Post(new Goodbye { Reason = WireReason.Shutdown });
                    }

                    await link.DisposeAsync().ConfigureAwait(false);
                    lock (_gate)
                    {
                        _past = link.AddTo(_past);
                        _link = null;
                    }
                }
            }

            if (cancellationToken.IsCancellationRequested)
            {
                yield break;
            }

            yield return new ChannelEvent(ChannelEventKind.Disconnected, null, time.GetTimestamp(), why);
            await Task.Delay(backoff.Next(), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async ValueTask<(ChannelConnection? Connection, string Why)> ConnectAsync(CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.ConnectTimeout, time, cancellationToken);
        deadline.Start();
        try
        {
            return (await connector.ConnectAsync(deadline.Token).ConfigureAwait(false), "");
        }
        catch (OperationCanceledException)
        {
            return (null, $"no connection within {options.ConnectTimeout.TotalSeconds} s");
        }
        catch (ChannelException e)
        {
            return (null, e.Message);
        }
    }

    private ulong Greet(FrameLink link)
    {
        link.Decoder.FaultsAllowed = FaultsBorne;
        link.Decoder.SkippedBytesAllowed = SkippedBytesBorne;
        lock (_gate)
        {
            _link = link;
        }

        Hello message = hello();
        message.LowestVersion = ChannelProtocol.Version;
        message.HighestVersion = ChannelProtocol.Version;
        message.Nonce = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        link.ExpectWithin(options.HandshakeTimeout);
        _ = link.Post(message);
        return message.Nonce;
    }

    // An event; Disconnected with a reason ends the connection, Disconnected without one is a frame to pass over.
    private ChannelEvent Take(in ReadOutcome read, FrameLink link, ulong nonce, ref Welcome? welcome, long stamp)
    {
        if (read.Kind != ReadKind.Frame)
        {
            return Ended(stamp, Why(read.Kind, link, welcome is not null));
        }

        if (MessageRules.Fault(read.Frame.Message) is { } fault)
        {
            return Ended(stamp, $"the host sent {fault}");
        }

        switch (read.Frame.Message)
        {
            case Goodbye goodbye:
                return Ended(stamp, $"the host said goodbye: {goodbye.Reason}{(goodbye.Detail.Length > 0 ? ", " + goodbye.Detail : "")}");
            case Welcome answer when welcome is null && answer.HasNonce && answer.Nonce == nonce:
                if (answer.Version != ChannelProtocol.Version)
                {
                    return Ended(stamp, $"the host chose version {answer.Version}, and we speak {ChannelProtocol.Version}");
                }

                welcome = answer;
                link.ExpectWithin(Silence(welcome));
                return new ChannelEvent(ChannelEventKind.Connected, answer, stamp, "");
            case Mark mark when welcome is not null:
                link.ExpectWithin(Silence(welcome));
                return new ChannelEvent(ChannelEventKind.Mark, mark, stamp, "");
            case Budget budget when welcome is not null:
                link.ExpectWithin(Silence(welcome));
                return new ChannelEvent(ChannelEventKind.Budget, budget, stamp, "");
            default:
                return Ended(stamp, ""); // left over from an earlier talk, or not for us
        }
    }

    private static ChannelEvent Ended(long stamp, string why) => new(ChannelEventKind.Disconnected, null, stamp, why);

    private TimeSpan Silence(Welcome welcome)
    {
        // An interval of more than an hour is no interval.
        double intervals = Math.Min(welcome.IntervalNanoseconds / 1e9, 3_600) * options.SilentIntervals;
        return intervals > options.SilenceTimeout.TotalSeconds ? TimeSpan.FromSeconds(intervals) : options.SilenceTimeout;
    }

    private static string Why(ReadKind kind, FrameLink link, bool greeted) => kind switch
    {
        ReadKind.End => greeted ? "the host closed the connection" : "nobody answers at the host's end",
        ReadKind.Garbage => $"{link.Decoder.Counts.SkippedBytes} bytes from the host are no frames",
        ReadKind.Stopped when link.Silent => greeted ? "the host is silent" : "the host does not answer our Hello",
        ReadKind.Stopped when link.Written == WriteEnd.SlowReader => "the host does not take what we send",
        _ => "the connection broke",
    };
}
