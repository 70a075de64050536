using System.CommandLine;
using Keck.Agent;

namespace Keck.Guest;

/// <summary>The verbs of <c>keck-guest</c>.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        RootCommand root = new("Keck guest agent: splits a virtual machine's energy, as its host measured it, over what runs inside - to the microjoule.")
        {
            RunCommand.Create(),
            TopCommand.Create(Settings.Table.Program, static command => new GuestAccess(command)),
            TreeCommand.Create(Settings.Table.Program, static command => new GuestAccess(command)),
            DoctorCommand.Create(),
            VersionCommand.Create(Settings.Table.Program),
        };
        return await CommandEntry.RunAsync(Settings.Table.Program, root, GuestHelp.Of, args).ConfigureAwait(false);
    }
}
