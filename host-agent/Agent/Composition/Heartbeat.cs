using Keck.Agent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>Once a second the history; every 5 s the CPUs online and the agent's own budget.</summary>
internal sealed partial class Heartbeat(HostAgent agent, TimeProvider time, ILogger<Heartbeat> logger) : BackgroundService
{
    private const int HeartbeatEvery = 5;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1), time);
        try
        {
            for (int second = 0; await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false); second++)
            {
                agent.History.Record(agent.Ledger());
                if (second % HeartbeatEvery == 0)
                {
                    _ = agent.Meters.RefreshTopology();
                    if (agent.ObserveSelf() is { } change)
                    {
                        Log.ProfileChanged(logger, change.From.Name(), change.To.Name(), change.Why);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5002, Level = LogLevel.Warning, Message = "Profile {From} -> {To}: {Why}")]
        internal static partial void ProfileChanged(ILogger logger, string from, string to, string why);
    }
}
