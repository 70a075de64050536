using Keck.Power;
using Microsoft.Extensions.Hosting;

namespace Keck.Host;

/// <summary>The slower tiers: each source that may hang is polled on a thread of its own, so that it delays nobody.</summary>
internal sealed class SourceLoops(HostAgent agent, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Medium = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(3);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(agent.PowerMeters.Sources
            .Where(source => source.Tier is not MeterTier.Fast && !source.Meters.IsEmpty)
            .Select(source => Task.Factory.StartNew(
                () => PollAsync(source, stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

    private async Task PollAsync(IEnergySource source, CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(source.Tier is MeterTier.Medium ? Medium : Slow, time);
        try
        {
            do
            {
                agent.PowerMeters.Poll(source);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }
}
