using Keck.Agent;

namespace Keck.Host;

/// <summary>The tick loop of a command that meters by itself, without a service: ticks until the time is over or it is cancelled.</summary>
internal static class LiveLoop
{
    internal static async Task RunAsync(HostAgent agent, TimeSpan length, TimeProvider time, Action beforeFirst, CancellationToken cancellation)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stop.CancelAfter(length);
        using SourceLoops sources = new(agent, time);
        await sources.StartAsync(stop.Token).ConfigureAwait(false);
        using WorkloadLoop workloads = new(agent);
        await workloads.StartAsync(stop.Token).ConfigureAwait(false);
        beforeFirst();
        using PeriodicTimer timer = new(agent.Profile.FastPeriod, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token).ConfigureAwait(false))
            {
                agent.Engine.Tick();
            }
        }
        catch (OperationCanceledException)
        {
            agent.Engine.Tick();
        }

        await workloads.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await sources.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
