using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Keck.Agent;

/// <summary>The framework's help, and below it what it cannot know: examples, keys, where settings come from, exit status.</summary>
internal sealed class HelpExamples(SynchronousCommandLineAction framework, Func<Command, string?> textOf) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = framework.Invoke(parseResult);
        if (textOf(parseResult.CommandResult.Command) is { } text)
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine(text);
            output.WriteLine();
            output.WriteLine("Exit status: 0 done, 1 it could not be done (stderr says why), 2 the call or the configuration is wrong.");
        }

        return code;
    }

    /// <summary>Adds the examples to the help of every command.</summary>
    /// <param name="root">The program.</param>
    /// <param name="textOf">What stands below a command's help; null for nothing.</param>
    internal static void AddTo(RootCommand root, Func<Command, string?> textOf)
    {
        foreach (HelpOption option in root.Options.OfType<HelpOption>())
        {
            option.Action = new HelpExamples((SynchronousCommandLineAction)option.Action!, textOf);
        }
    }
}
