using System.CommandLine;
using Keck.Agent;

namespace Keck.Host;

/// <summary>The verbs of <c>keck-host</c>.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        RootCommand root = new("Keck host agent: says who used how much of this machine's energy - thread, process, container, pod, machine - to the microjoule.")
        {
            RunCommand.Create(),
            TopCommand.Create(Settings.Table.Program, static command => new ApiAccess(command)),
            TreeCommand.Create(Settings.Table.Program, static command => new ApiAccess(command)),
            DoctorCommand.Create(),
            MetersCommand.Create(),
            RecordCommand.Create(),
            ReplayCommand.Create(),
            CalibrateCommand.Create(),
            LearnedCommand.Create(),
            ScoreCommand.Create(),
            VersionCommand.Create(Settings.Table.Program),
        };
        return await CommandEntry.RunAsync(Settings.Table.Program, root, HostHelp.Of, args).ConfigureAwait(false);
    }
}
