using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>Runs an agent as a service: its loops, its API, word to the service manager, a clean stop.</summary>
internal static class AgentService
{
    /// <summary>Runs until stopped; gives the exit status.</summary>
    /// <typeparam name="TAgent">The agent.</typeparam>
    /// <typeparam name="TOptions">Its options.</typeparam>
    /// <param name="program">The program's name, before what it says on stderr.</param>
    /// <param name="options">What is set.</param>
    /// <param name="create">Makes the agent; throws <see cref="StartException"/> for what cannot work.</param>
    /// <param name="loops">Adds the agent's own loops.</param>
    /// <param name="cancellation">Stops it.</param>
    internal static async Task<int> RunAsync<TAgent, TOptions>(
        string program, TOptions options, Func<TOptions, TimeProvider, ILoggerFactory, TAgent> create, Action<IServiceCollection> loops, CancellationToken cancellation)
        where TAgent : AgentCore
        where TOptions : AgentOptions
    {
        // Before anything of the machine is opened: what is wrong with the call is the caller's to mend.
        IReadOnlyList<string> errors = ApiHosts.Check(Server.Listen(options), options.Profile);
        foreach (string error in errors)
        {
            await Console.Error.WriteLineAsync($"{program}: {error}").ConfigureAwait(false);
        }

        if (errors.Count > 0)
        {
            return ExitCodes.Usage;
        }

        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        _ = builder.Logging.SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // What it would say of a failure is said below, once.
        _ = builder.Services
            .AddSingleton<ILoggerProvider>(_ => new ConsoleLog(program, Console.Error))
            .AddSingleton(TimeProvider.System)
            .AddSingleton(options)
            .AddSingleton<AgentOptions>(options)
            .AddSingleton(services => create(options, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILoggerFactory>()))
            .AddSingleton<AgentCore>(services => services.GetRequiredService<TAgent>());
        loops(builder.Services);
        _ = builder.Services
            .AddHostedService<WorkloadLoop>()
            .AddHostedService<Heartbeat>()
            .AddHostedService<ServiceNotice>()
            .AddHostedService<Server>();
        try
        {
            using IHost host = builder.Build();
            BackgroundService[] all = [.. host.Services.GetServices<IHostedService>().OfType<BackgroundService>()];
            await host.RunAsync(cancellation).ConfigureAwait(false);

            // A loop that failed stopped the host in good order: to the service manager it is a failure all the same.
            BackgroundService[] failed = [.. all.Where(static loop => loop.ExecuteTask is { IsFaulted: true })];
            foreach (BackgroundService loop in failed.Where(static loop => loop is not ISaysItsFailure))
            {
                await Console.Error.WriteLineAsync($"{program}: {loop.GetType().Name} failed: {loop.ExecuteTask!.Exception!.InnerException}".ReplaceLineEndings(" ")).ConfigureAwait(false);
            }

            return failed.Length > 0 ? ExitCodes.Failed : ExitCodes.Ok;
        }
        catch (StartException e)
        {
            await Console.Error.WriteLineAsync($"{program}: {e.Message}").ConfigureAwait(false);
            return ExitCodes.Failed;
        }
    }
}
