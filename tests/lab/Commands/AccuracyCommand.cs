using System.CommandLine;
using System.Globalization;
using Keck.Metering;

namespace Keck.Lab;

/// <summary><c>keck-lab accuracy</c>: the table of docs/accuracy.md.</summary>
internal static class AccuracyCommand
{
    private static readonly string[] Scenarios = ["mixed", "steady", "overcommitted", "smt-heavy", "memory-bound"];
    private static readonly string[] Variants = ["calibrated", "calibrated, no signatures", "calibrated, two kinds unseen", "uncalibrated", "uncalibrated, by formula", "uncalibrated, no signatures"];

    internal static Command Create()
    {
        Option<int> first = new("--first") { Description = "first seed", DefaultValueFactory = _ => 401 };
        Option<int> seeds = new("--seeds") { Description = "machines of each family", DefaultValueFactory = _ => 4 };
        Option<double> seconds = new("--seconds") { Description = "length of each run", DefaultValueFactory = _ => 30 };
        Option<double> idle = new("--idle-first") { Description = "seconds that the host is idle first", DefaultValueFactory = _ => 1.5 };
        Command command = new("accuracy", "the product, calibrated and not, beside its peers' formulas: virtual machines, over all families") { first, seeds, seconds, idle };
        command.SetAction(parsed => Print(parsed.GetValue(first), parsed.GetValue(seeds), parsed.GetValue(seconds), parsed.GetValue(idle)));
        return command;
    }

    private static void Print(int first, int seeds, double seconds, double idle)
    {
        string[] names = [.. Variants, .. PeerFormulas.Names];
        Dictionary<(string Scenario, string Name), List<AccuracyReport>> reports = [];
        Dictionary<(string Family, string Name), List<AccuracyReport>> byFamily = [];
        foreach (string family in Families.Names)
        {
            for (int seed = first; seed < first + seeds; seed++)
            {
                MachineProfile profile = Profile(family, seed, LabScenarios.Commissioning), few = Profile(family, seed, LabScenarios.CommissioningFew);
                foreach (string scenario in Scenarios)
                {
                    AccuracyReport[] run = LabScore.Of(
                        LabSimulation.Create(family, seed, scenario, seconds, idleSeconds: idle),
                        [
                            LabScore.Product(new AttributionOptions { Profile = profile }), LabScore.Product(new AttributionOptions { Profile = profile, Signatures = false }),
                            LabScore.Product(new AttributionOptions { Profile = few }), LabScore.Product(new AttributionOptions()),
                            LabScore.Product(new AttributionOptions { Model = ModelKind.FullModel }), LabScore.Product(new AttributionOptions { Signatures = false }),
                            .. PeerFormulas.Names.Select(LabScore.Peer),
                        ]);
                    for (int i = 0; i < names.Length; i++)
                    {
                        Add(reports, (scenario, names[i]), run[i]);
                        Add(byFamily, (family, names[i]), run[i]);
                    }
                }

                Console.Error.WriteLine($"keck-lab: {family} {seed}");
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Families.Names.Length * seeds} machines (seeds {first} to {first + seeds - 1} of each family), {seconds:0} s each, the first {idle:0.0} s idle; ticks not conserved: {reports.Values.Sum(list => list.Sum(report => report.NotConserved ?? 0))}."));
        Table("scenario", Scenarios, names, reports);
        Table("family", Families.Names, ["calibrated", "uncalibrated", "kepler"], byFamily);
    }

    private static void Table(string by, string[] rows, string[] names, Dictionary<(string, string), List<AccuracyReport>> reports)
    {
        Console.WriteLine();
        Console.WriteLine($"| {by} | formula | median error | worst | 1 s windows | coverage | median width | interval score |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (string row in rows)
        {
            foreach (string name in names)
            {
                List<AccuracyReport> all = reports[(row, name)];
                bool bounded = Array.IndexOf(PeerFormulas.Names, name) < 0;
                Console.WriteLine(
                    $"| {row} | {name} | {Percent(Median(all, report => report.MachineError))} | {Percent(all.Max(report => report.MachineError))} | {Percent(Median(all, report => report.WindowError))} | "
                    + (bounded ? $"{Percent(all.Average(report => report.Coverage))} | {Percent(Median(all, report => report.MedianWidth))} | {Percent(Median(all, report => report.IntervalScore))} |" : "| | |"));
            }
        }
    }

    private static MachineProfile Profile(string family, int seed, string scenario)
    {
        LabSimulation commissioning = LabSimulation.Create(family, seed, scenario, 60);
        Calibrator calibrator = new(family, null, commissioning.Header.Cpu);
        while (commissioning.Advance())
        {
            calibrator.Add(commissioning.Observation);
        }

        return calibrator.Fit();
    }

    private static void Add(Dictionary<(string, string), List<AccuracyReport>> reports, (string, string) key, AccuracyReport report)
    {
        if (!reports.TryGetValue(key, out List<AccuracyReport>? list))
        {
            reports.Add(key, list = []);
        }

        list.Add(report);
    }

    private static double? Median(List<AccuracyReport> reports, Func<AccuracyReport, double?> of)
    {
        double[] sorted = [.. reports.Select(of).OfType<double>().Order()];
        return sorted.Length == 0 ? null : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static string Percent(double? ratio) => ratio is { } value ? (value * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %" : "-";
}
