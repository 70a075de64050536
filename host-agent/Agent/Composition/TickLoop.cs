using System.Diagnostics.CodeAnalysis;
using Keck.Agent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>The fast tier: one tick a period, by the profile in force.</summary>
internal sealed partial class TickLoop(HostAgent agent, TimeProvider time, ILogger<TickLoop> logger) : BackgroundService, ISaysItsFailure
{
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Top of the loop: one line that says what ended the agent, then the host stops.")]
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan period = agent.Profile.FastPeriod;
        using PeriodicTimer timer = new(period, time);
        try
        {
            do
            {
                agent.Engine.Tick();
                if (agent.Profile.FastPeriod != period)
                {
                    timer.Period = period = agent.Profile.FastPeriod;
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A clean stop: what ran since the last tick is still ours.
            agent.Engine.Tick();
        }
        catch (Exception e)
        {
            Log.Failed(logger, e);
            throw;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5001, Level = LogLevel.Critical, Message = "The tick loop failed; the agent stops")]
        internal static partial void Failed(ILogger logger, Exception exception);
    }
}
