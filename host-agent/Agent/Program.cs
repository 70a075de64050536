using System.CommandLine;

namespace Keck.Host;

/// <summary>The verbs of <c>keck-host</c>.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        RootCommand root = new("Keck host agent: says who used how much of this machine's energy - thread, process, container, pod, machine - to the microjoule.")
        {
            RunCommand.Create(),
            TopCommand.Create(),
            TreeCommand.Create(),
            DoctorCommand.Create(),
            MetersCommand.Create(),
            RecordCommand.Create(),
            ReplayCommand.Create(),
            VersionCommand.Create(),
        };
        HelpExamples.AddTo(root);
        return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }).ConfigureAwait(false);
    }
}
