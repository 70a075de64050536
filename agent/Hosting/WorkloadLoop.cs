using Microsoft.Extensions.Hosting;

namespace Keck.Agent;

/// <summary>Runs the process scanner beside the tick loop: reading memory figures takes milliseconds and may hang.</summary>
internal sealed class WorkloadLoop(AgentCore agent) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.Factory.StartNew(
                () => agent.Workloads.Scanner.RunAsync(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }
}
