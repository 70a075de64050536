using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>
/// Tells the service manager over the socket of <c>NOTIFY_SOCKET</c> (sd_notify(3)): ready, stopping, and, where it keeps a
/// watchdog, alive for as long as ticks are attributed. Any manager that sets the variable is told, not systemd alone.
/// </summary>
internal sealed partial class ServiceNotice(AgentCore agent, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ServiceNotice> logger) : BackgroundService
{
    // Asked four times in a watchdog's period, a tick loop that ticks in half of it is never taken for dead.
    private const int AsksInAPeriod = 4;

    private readonly string? _socket = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    /// <summary>The watchdog's period; null where there is none, or it is meant for another process.</summary>
    /// <param name="microseconds"><c>WATCHDOG_USEC</c>.</param>
    /// <param name="pid"><c>WATCHDOG_PID</c>.</param>
    internal static TimeSpan? Watchdog(string? microseconds, string? pid) =>
        long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out long period) && period is > 0 and < long.MaxValue / 10
            && (pid is null || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            ? TimeSpan.FromMicroseconds(period)
            : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (string.IsNullOrEmpty(_socket))
        {
            return;
        }

        using CancellationTokenRegistration started = lifetime.ApplicationStarted.Register(() => Send("READY=1"));
        using CancellationTokenRegistration stopping = lifetime.ApplicationStopping.Register(() => Send("STOPPING=1"));
        TimeSpan? watchdog = Watchdog(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"));
        using PeriodicTimer timer = new(watchdog / AsksInAPeriod ?? Timeout.InfiniteTimeSpan, time);
        try
        {
            for (long seen = 0; await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false);)
            {
                if (agent.Engine.Ticks is var ticks && ticks != seen)
                {
                    seen = ticks;
                    Send("WATCHDOG=1");
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private void Send(string state)
    {
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

            // A leading @ is an abstract address.
            socket.Connect(new UnixDomainSocketEndPoint(_socket!.StartsWith('@') ? "\0" + _socket[1..] : _socket));
            _ = socket.Send(Encoding.ASCII.GetBytes(state));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            Log.Unheard(logger, state, _socket!, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4210, Level = LogLevel.Warning, Message = "The service manager was not told {State} at {Socket} (NOTIFY_SOCKET): {Reason}")]
        internal static partial void Unheard(ILogger logger, string state, string socket, string reason);
    }
}
