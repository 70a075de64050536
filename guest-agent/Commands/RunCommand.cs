using System.CommandLine;
using Keck.Agent;
using Microsoft.Extensions.DependencyInjection;

namespace Keck.Guest;

/// <summary><c>keck-guest run</c>: the service.</summary>
internal static class RunCommand
{
    internal static Command Create()
    {
        Command command = new("run", "split this machine's energy budget and serve the figures until stopped (SIGTERM, SIGINT)");
        SettingFlags settings = new(Settings.Table, command);
        command.SetAction((parsed, cancellation) => settings.Load(parsed) is GuestOptions options
            ? AgentService.RunAsync(Settings.Table.Program, options, GuestAgent.Create, static services => services.AddHostedService<GuestLoop>(), cancellation)
            : Task.FromResult(ExitCodes.Usage));
        return command;
    }
}
