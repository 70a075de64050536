using System.CommandLine;
using System.Globalization;
using Keck.Metering;

namespace Keck.Lab;

/// <summary><c>keck-lab compare</c>: the product beside its peers, medians over machines.</summary>
internal static class CompareCommand
{
    internal static Command Create()
    {
        Option<string[]> families = new("--family") { Description = "families (default: all)", AllowMultipleArgumentsPerToken = true };
        Option<string[]> scenarios = new("--scenario") { Description = "scenarios (default: all)", AllowMultipleArgumentsPerToken = true };
        Option<int> seeds = new("--seeds") { Description = "machines of each family", DefaultValueFactory = _ => 3 };
        Option<double> seconds = new("--seconds") { Description = "length of each run", DefaultValueFactory = _ => 30 };
        Option<double?> idle = new("--idle-first") { Description = "seconds that the host is idle first (default: as the scenario says)" };
        Command command = new("compare", "error of the product and of its peers' formulas, per family and scenario, median over machines") { families, scenarios, seeds, seconds, idle };
        command.SetAction(parsed =>
        {
            string[] chosen = parsed.GetValue(families) is { Length: > 0 } some ? some : Families.Names;
            string[] busy = parsed.GetValue(scenarios) is { Length: > 0 } few ? few : LabScenarios.Names;
            try
            {
                Print(chosen, busy, parsed.GetValue(seeds), parsed.GetValue(seconds), parsed.GetValue(idle));
                return 0;
            }
            catch (ArgumentException e)
            {
                Console.Error.WriteLine($"keck-lab: {e.Message}");
                return 2;
            }
        });
        return command;
    }

    private static void Print(string[] families, string[] scenarios, int seeds, double seconds, double? idle)
    {
        Console.WriteLine("| family | scenario | Keck | 1 s | worst machine | static | coverage | width | " + string.Join(" | ", PeerFormulas.Names) + " |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|" + string.Concat(PeerFormulas.Names.Select(_ => "---|")));
        foreach (string family in families)
        {
            foreach (string scenario in scenarios)
            {
                AccuracyReport[][] runs = [.. Enumerable.Range(1, seeds).Select(seed => LabScore.Of(
                    LabSimulation.Create(family, seed, scenario, seconds, idleSeconds: idle),
                    [LabScore.Product(new AttributionOptions()), .. PeerFormulas.Names.Select(LabScore.Peer)]))];
                AccuracyReport[] ours = [.. runs.Select(run => run[0])];
                string peers = string.Join(" | ", PeerFormulas.Names.Select((_, i) => Percent(Median(runs.Select(run => run[i + 1].Error)))));
                Console.WriteLine(
                    $"| {family} | {scenario} | {Percent(Median(ours.Select(report => report.Error)))} | {Percent(Median(ours.Select(report => report.WindowError)))} | "
                    + $"{Percent(ours.Max(report => report.Error))} | {Percent(Median(ours.Select(report => report.StaticBias)))} | "
                    + $"{Percent(Median(ours.Select(report => report.Coverage)))} | {Percent(Median(ours.Select(report => report.MedianWidth)))} | {peers} |");
            }
        }
    }

    private static double? Median(IEnumerable<double?> values)
    {
        double[] sorted = [.. values.OfType<double>().Order()];
        return sorted.Length == 0 ? null : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Percent(double? ratio) => ratio is { } value ? (value * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %" : "-";
}
