using System.CommandLine;
using System.CommandLine.Invocation;

namespace Keck.Agent;

/// <summary>A program's command line, from its arguments to its exit status.</summary>
internal static class CommandEntry
{
    /// <summary>Parses and runs; gives the exit status.</summary>
    /// <param name="program">The program's name, before what it says on stderr.</param>
    /// <param name="root">Its verbs.</param>
    /// <param name="help">What stands below a command's help; null for nothing.</param>
    /// <param name="args">What it was called with.</param>
    internal static async Task<int> RunAsync(string program, RootCommand root, Func<Command, string?> help, string[] args)
    {
        HelpExamples.AddTo(root, help);

        // A signal is a clean stop: the last tick, and time for those who are being served. Two seconds, the default, are too short for that.
        InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(15) };
        ParseResult parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction wrong)
        {
            // What is wrong, and where to look: a page of options would push it off the screen.
            wrong.ShowHelp = false;
        }

        try
        {
            int status = await parsed.InvokeAsync(invocation).ConfigureAwait(false);
            if (parsed.Action is ParseErrorAction)
            {
                string verb = parsed.CommandResult.Command is RootCommand ? "" : $" {parsed.CommandResult.Command.Name}";
                await Console.Error.WriteLineAsync($"{program}{verb} --help lists what it takes").ConfigureAwait(false);
            }

            return status != ExitCodes.Ok && parsed.Errors.Count > 0 ? ExitCodes.Usage : status;
        }
        catch (IOException e)
        {
            // Commands answer for the files they were given; what is left is standard output: a full disk, a terminal that has gone.
            await Console.Error.WriteLineAsync($"{program}: the output cannot be written: {e.Message}").ConfigureAwait(false);
            return ExitCodes.Failed;
        }
    }
}
