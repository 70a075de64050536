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
        HelpExamples.AddTo(root, GuestHelp.Of);

        // A signal is a clean stop: the last tick, and time for those who are being served. Two seconds, the default, are too short for that.
        ParseResult parsed = root.Parse(args);
        int status = await parsed.InvokeAsync(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(15) }).ConfigureAwait(false);
        return status != ExitCodes.Ok && parsed.Errors.Count > 0 ? ExitCodes.Usage : status;
    }
}
