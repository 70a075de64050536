using Microsoft.Extensions.Hosting;

namespace Keck.Host;

/// <summary>Follows the virtual machines of this host.</summary>
internal sealed class MachineLoop(HostAgent agent) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await agent.Machines.RunAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }
}
