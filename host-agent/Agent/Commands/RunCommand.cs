using System.CommandLine;
using Keck.Agent;
using Microsoft.Extensions.DependencyInjection;

namespace Keck.Host;

/// <summary><c>keck-host run</c>: the service.</summary>
internal static class RunCommand
{
    internal static Command Create()
    {
        Command command = new("run", "meter this machine and serve the figures until stopped (SIGTERM, SIGINT)");
        SettingFlags settings = new(Settings.Table, command);
        command.SetAction((parsed, cancellation) => settings.Load(parsed) is HostOptions options
            ? AgentService.RunAsync(
                Settings.Table.Program, options, static (options, time, loggers) => HostAgent.Create(options, time, loggers, keepState: true), AddLoops, cancellation)
            : Task.FromResult(ExitCodes.Usage));
        return command;
    }

    private static void AddLoops(IServiceCollection services) => services
        .AddHostedService<TickLoop>()
        .AddHostedService<SourceLoops>()
        .AddHostedService<MachineLoop>()
        .AddHostedService<ChannelListeners>();
}
