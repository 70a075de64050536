using Microsoft.Extensions.Hosting;

namespace Keck.Host;

/// <summary>Follows the virtual machines of this host, and reads now and then what is only shown of them.</summary>
internal sealed class MachineLoop(HostAgent agent, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(agent.Machines.RunAsync(stoppingToken), ReadAsync(stoppingToken)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task ReadAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            agent.LookAtMachines();
        }
    }
}
