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
            .AddFilter("Microsoft", LogLevel.Warning);
        _ = builder.Services
            .AddSystemd()
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
            .AddHostedService<Server>();
        try
        {
            using IHost host = builder.Build();
            await host.RunAsync(cancellation).ConfigureAwait(false);
            return ExitCodes.Ok;
        }
        catch (StartException e)
        {
            await Console.Error.WriteLineAsync($"keck-host: {e.Message}").ConfigureAwait(false);
            return ExitCodes.Failed;
        }
    }
}
