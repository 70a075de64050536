using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary><c>keck-host run</c>: the service.</summary>
internal static class RunCommand
{
    internal static Command Create()
    {
        Command command = new("run", "meter this machine and serve the figures until stopped (SIGTERM, SIGINT)");
        SettingFlags settings = new(command);
        command.SetAction((parsed, cancellation) => settings.Load(parsed) is { } options ? RunAsync(options, cancellation) : Task.FromResult(ExitCodes.Usage));
        return command;
    }

    private static async Task<int> RunAsync(HostOptions options, CancellationToken cancellation)
    {
        HostApplicationBuilder builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        _ = builder.Logging.SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // What it would say of a failure is said below, once.
        _ = builder.Services
            .AddSingleton<ILoggerProvider>(static _ => new ConsoleLog(Console.Error))
            .AddSingleton(TimeProvider.System)
            .AddSingleton(options)
            .AddSingleton(services => HostAgent.Create(options, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILoggerFactory>(), keepState: true))
            .AddHostedService<TickLoop>()
            .AddHostedService<SourceLoops>()
            .AddHostedService<WorkloadLoop>()
            .AddHostedService<MachineLoop>()
            .AddHostedService<ChannelListeners>()
            .AddHostedService<Heartbeat>()
            .AddHostedService<ServiceNotice>()
            .AddHostedService<Server>();
        try
        {
            using IHost host = builder.Build();
            BackgroundService[] loops = [.. host.Services.GetServices<IHostedService>().OfType<BackgroundService>()];
            await host.RunAsync(cancellation).ConfigureAwait(false);

            // A loop that failed stopped the host in good order: to the service manager it is a failure all the same.
            BackgroundService[] failed = [.. loops.Where(static loop => loop.ExecuteTask is { IsFaulted: true })];
            foreach (BackgroundService loop in failed.Where(static loop => loop is not TickLoop))
            {
                await Console.Error.WriteLineAsync($"keck-host: {loop.GetType().Name} failed: {loop.ExecuteTask!.Exception!.InnerException}".ReplaceLineEndings(" ")).ConfigureAwait(false);
            }

            return failed.Length > 0 ? ExitCodes.Failed : ExitCodes.Ok;
        }
        catch (StartException e)
        {
            await Console.Error.WriteLineAsync($"keck-host: {e.Message}").ConfigureAwait(false);
            return ExitCodes.Failed;
        }
    }
}
