using Keck.Agent.Interop;
using Keck.Metering;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>Every second, or as seldom as the profile says, the history; every 5 s the CPUs online, how busy they are, and the agent's own budget.</summary>
internal sealed partial class Heartbeat(AgentCore agent, TimeProvider time, ILogger<Heartbeat> logger) : BackgroundService
{
    private const int HeartbeatEvery = 5;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? trimmed = null;
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1), time);
        try
        {
            for (int second = 0; await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false); second++)
            {
                if (second % (int)agent.Profile.HistoryPeriod.TotalSeconds == 0)
                {
                    agent.History.Record(agent.Ledger());
                }

                if (second % HeartbeatEvery == 0)
                {
                    agent.RefreshTopology();
                    agent.ReadCounters();
                    trimmed = second == 0 ? null : Trim(trimmed);
                    if (agent.ObserveSelf() is { } change)
                    {
                        AgentProfile now = agent.Profile;
                        double tick = now.FastPeriod.TotalSeconds;
                        string model = agent.ModelLimit.Name();
                        Log.ProfileChanged(logger, change.From.Name(), change.To.Name(), change.Why, tick, model, now.History.Series, now.History.RecentSeries, now.MetricSeriesLimit);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    // A heap of a few megabytes is compacted in a few milliseconds; left alone, the collector would let it grow to twice its
    // size and keep what it once took.
    // The first time is soon: half of what is resident then was needed to start only.
    private long? Trim(long? last)
    {
        if (agent.Profile.TrimPeriod is not { } period || (last is { } then && time.GetElapsedTime(then) < period))
        {
            return last;
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (agent.Profile.Kind == ProfileKind.Minimal)
        {
            _ = ProgramPages.LetGo();
        }

        return time.GetTimestamp();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4202, Level = LogLevel.Warning, Message = "Profile {From} -> {To}: {Why}; now a tick every {Seconds} s, model {Model} at most, history of {Series} series and {Recent} last minutes, {Metrics} metric series")]
        internal static partial void ProfileChanged(ILogger logger, string from, string to, string why, double seconds, string model, int series, int recent, int metrics);
    }
}
