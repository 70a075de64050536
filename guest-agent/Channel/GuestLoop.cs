using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Google.Protobuf;
using Keck.Agent;
using Keck.VsockProtocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Guest;

/// <summary>
/// The guest's ticks. With a host they are its intervals: a Mark ends the runs, the Budget that follows brings their energy. Where a
/// Budget does not come the runs are held until one does; where Marks do not come, or there is no host, ticks go by the profile's period.
/// </summary>
internal sealed partial class GuestLoop(GuestAgent agent, GuestOptions options, TimeProvider time, ILogger<GuestLoop> logger) : BackgroundService, ISaysItsFailure
{
    private const int QueueLength = 16;

    // A Mark or Budget is late when this many intervals have passed without it.
    private const double Patience = 2.5;

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly BusyTime _busy = new();
    private readonly Ack _ack = new();
    private ChannelEndpoint _channel = options.Channel;
    private ChannelClient? _client;
    private TimeSpan _interval = TimeSpan.FromSeconds(1);
    private ulong? _marked;
    private ulong? _attributed;
    private bool _begun;
    private long _lastTick;
    private long _lastUsage;
    private ulong _usageSeq;
    private string? _said;

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Top of the loop: one line that says what ended the agent, then the host stops.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        agent.Engine.Attach(_busy);
        _lastTick = _lastUsage = time.GetTimestamp();
        Channel<ChannelEvent> events = Channel.CreateBounded<ChannelEvent>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task receiver = ReceiveAsync(events.Writer, stop.Token);
        using PeriodicTimer timer = new(agent.Profile.FastPeriod, time);
        try
        {
            Tick();
            Task<bool> beat = timer.WaitForNextTickAsync(stoppingToken).AsTask();
            Task<bool> word = events.Reader.WaitToReadAsync(stoppingToken).AsTask();
            while (!stoppingToken.IsCancellationRequested)
            {
                Task first = await Task.WhenAny(word, beat).ConfigureAwait(false);
                if (first == word)
                {
                    if (await word.ConfigureAwait(false))
                    {
                        while (events.Reader.TryRead(out ChannelEvent happened))
                        {
                            Handle(happened);
                        }
                    }
                    else
                    {
                        await receiver.ConfigureAwait(false);
                    }

                    word = events.Reader.WaitToReadAsync(stoppingToken).AsTask();
                }
                else
                {
                    _ = await beat.ConfigureAwait(false);
                    Beat();
                    beat = timer.WaitForNextTickAsync(stoppingToken).AsTask();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            Log.Failed(logger, e);
            throw;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await receiver.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        }

        // A clean stop: what ran since the last tick is still ours.
        Tick();
    }

    private async Task ReceiveAsync(ChannelWriter<ChannelEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            if (await ChooseAsync(cancellationToken).ConfigureAwait(false) is not { } connector)
            {
                return;
            }

            _client = new ChannelClient(connector, Hello, new ChannelClientOptions(), time, Random.Shared);
            await foreach (ChannelEvent happened in _client.RunAsync(cancellationToken).ConfigureAwait(false))
            {
                await events.WriteAsync(happened, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            _ = events.TryComplete();
        }
    }

    // A device may come after the agent: a module that is loaded late, a port that is plugged in.
    private async Task<IChannelConnector?> ChooseAsync(CancellationToken cancellationToken)
    {
        if (options.Channel is { IsAuto: false, Transport: null })
        {
            Log.NoChannel(logger);
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken).ConfigureAwait(false);
        }

        ChannelChoice choice = ChannelChoice.Of(options.Channel);
        if (choice.Endpoint.Transport is null)
        {
            Log.NoDevice(logger, choice.Why);
            while (choice.Endpoint.Transport is null)
            {
                await Task.Delay(LookAgain, time, cancellationToken).ConfigureAwait(false);
                choice = ChannelChoice.Of(options.Channel);
            }
        }

        if (options.Channel.IsAuto)
        {
            Log.Chosen(logger, choice.Endpoint, choice.Why);
        }

        _channel = choice.Endpoint;
        return choice.Endpoint.Connector(Random.Shared);
    }

    private Hello Hello()
    {
        Hello hello = new()
        {
            AgentVersion = AgentCore.Version,
            Vcpus = (uint)Math.Min(agent.Feed.Topology.CpuLimit, ChannelProtocol.MaxVcpus),
            NameClaim = Environment.MachineName,
            GuestEpoch = ByteString.CopyFrom(agent.Engine.Epoch.ToByteArray()),
        };
        if (KernelFacts.BootId(options.ProcRoot) is { } boot)
        {
            hello.BootId = boot;
        }

        return hello;
    }

    private void Handle(in ChannelEvent happened)
    {
        switch (happened.Kind)
        {
            case ChannelEventKind.Connected:
                Welcome welcome = happened.Welcome;
                _interval = TimeSpan.FromSeconds(Math.Clamp(welcome.IntervalNanoseconds / 1e9, 1, 3_600));
                _said = null;
                agent.Feed.Connected(welcome);
                Log.Connected(logger, _channel, welcome.MachineName, welcome.MachineUuid, _interval.TotalSeconds);
                break;
            case ChannelEventKind.Mark:
                Begin(happened.Mark.Interval, happened.Timestamp);
                break;
            case ChannelEventKind.Budget:
                agent.Feed.Take(happened.Budget);
                if (_begun && happened.Budget.Interval >= _marked)
                {
                    _attributed = happened.Budget.Interval;
                    End();
                }

                break;
            default:
                if (happened.Detail != _said)
                {
                    _said = happened.Detail;
                    Log.Disconnected(logger, _channel, happened.Detail, agent.Feed.InUse ? "runs are held until it speaks again" : "this machine is estimated");
                }

                break;
        }
    }

    private void Begin(ulong interval, long arrived)
    {
        if (_begun)
        {
            // Its Budget was lost: the next one covers its runs too.
            End();
        }

        agent.Engine.BeginTick();
        (_begun, _marked, _lastTick) = (true, interval, time.GetTimestamp());
        _ack.Interval = interval;
        _ack.DrainNanoseconds = (ulong)time.GetElapsedTime(arrived).TotalNanoseconds;
        _ack.BusyNanoseconds.Clear();
        foreach (long busy in _busy.Nanoseconds[..Math.Min(_busy.Nanoseconds.Length, ChannelProtocol.MaxVcpus)])
        {
            _ack.BusyNanoseconds.Add((ulong)busy);
        }

        _ = _client?.Post(_ack);
    }

    private void End()
    {
        agent.Engine.EndTick();
        _begun = false;
        agent.ShowTree();
        if (options.Usage > 0 && _client is { IsConnected: true } client && time.GetElapsedTime(_lastUsage) >= agent.UsagePeriod)
        {
            _lastUsage = time.GetTimestamp();
            _ = client.Post(UsageReport.Of(agent.Ledger(), agent.Workloads, options.Usage, ++_usageSeq, _attributed, agent.Feed.Kind));
        }
    }

    // Without Marks in time, a tick of our own.
    private void Beat()
    {
        TimeSpan since = time.GetElapsedTime(_lastTick);
        bool hosted = _client is { IsConnected: true };
        if (since < (hosted ? _interval * Patience : agent.Profile.FastPeriod))
        {
            agent.KeepShown();
            return;
        }

        Tick();
    }

    private void Tick()
    {
        if (_begun)
        {
            End();
        }

        agent.Engine.BeginTick();
        _lastTick = time.GetTimestamp();
        End();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 7011, Level = LogLevel.Critical, Message = "The tick loop failed; the agent stops")]
        internal static partial void Failed(ILogger logger, Exception exception);

        [LoggerMessage(EventId = 7012, Level = LogLevel.Information, Message = "No channel to a host is configured (--channel none): this machine is estimated")]
        internal static partial void NoChannel(ILogger logger);

        [LoggerMessage(EventId = 7013, Level = LogLevel.Information, Message = "Connected to the host by {Channel}: this is its machine {Name} {Uuid}, told every {Seconds} s")]
        internal static partial void Connected(ILogger logger, ChannelEndpoint channel, string name, string uuid, double seconds);

        [LoggerMessage(EventId = 7014, Level = LogLevel.Warning, Message = "No host by {Channel}: {Why}; {Meanwhile}")]
        internal static partial void Disconnected(ILogger logger, ChannelEndpoint channel, string why, string meanwhile);

        [LoggerMessage(EventId = 7015, Level = LogLevel.Information, Message = "Channel {Channel}: {Why}")]
        internal static partial void Chosen(ILogger logger, ChannelEndpoint channel, string why);

        [LoggerMessage(EventId = 7016, Level = LogLevel.Warning, Message = "No channel to a host: {Why}; this machine is estimated until there is one")]
        internal static partial void NoDevice(ILogger logger, string why);
    }
}
