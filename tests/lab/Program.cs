using System.CommandLine;

namespace Keck.Lab;

/// <summary>The verbs of <c>keck-lab</c>.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        RootCommand root = new("Keck's laboratory: simulated machines whose every microjoule has a known cause, to score attribution by.")
        {
            SimulateCommand.Create(),
            PeersCommand.Create(),
            CompareCommand.Create(),
            AccuracyCommand.Create(),
            ListCommand.Create(),
        };
        return root.Parse(args).Invoke();
    }
}
