using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using Keck.Metering;

namespace Keck.Lab;

/// <summary><c>keck-lab sweep</c>: scores the attribution over many machines and scenarios, in memory.</summary>
internal static class SweepCommand
{
    internal static Command Create()
    {
        Option<string[]> families = new("--families") { AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => Families.Names };
        Option<string[]> scenarios = new("--scenarios") { AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["mixed", "steady", "overcommitted", "smt-heavy", "memory-bound"] };
        Option<int> first = new("--first") { DefaultValueFactory = _ => 1 };
        Option<int> seeds = new("--seeds") { DefaultValueFactory = _ => 2 };
        Option<double> seconds = new("--seconds") { DefaultValueFactory = _ => 30 };
        Option<double> idle = new("--idle") { DefaultValueFactory = _ => 1.5 };
        Option<bool> detail = new("--detail");
        Command command = new("sweep", "score the attribution over many machines") { families, scenarios, first, seeds, seconds, idle, detail };
        command.SetAction(parsed => Run(
            parsed.GetValue(families)!, parsed.GetValue(scenarios)!, parsed.GetValue(first), parsed.GetValue(seeds), parsed.GetValue(seconds), parsed.GetValue(idle), parsed.GetValue(detail)));
        return command;
    }

    private static int Run(string[] families, string[] scenarios, int first, int seeds, double seconds, double idle, bool detail)
    {
        string[] variants = ["full", "full+sig", "cal", "cal+sig"];
        ConcurrentBag<(string Family, string Scenario, string Variant, SweepScore Score)> results = [];
        (string Family, int Seed)[] machines = [.. families.SelectMany(family => Enumerable.Range(first, seeds).Select(seed => (family, seed)))];
        Parallel.ForEach(machines, new ParallelOptions { MaxDegreeOfParallelism = 2 }, machine =>
        {
            MachineProfile? profile = null;
            try
            {
                LabSimulation commissioning = LabSimulation.Create(machine.Family, machine.Seed, LabScenarios.Commissioning, 60);
                Calibrator calibrator = new("lab", null, null);
                while (commissioning.Advance())
                {
                    calibrator.Add(commissioning.Observation);
                }

                profile = calibrator.Fit();
                if (detail)
                {
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{machine.Family}/{machine.Seed}: residuals {string.Join(" ", profile.Models.Select(m => $"{m.Needs} {m.Residual:P1}"))} alpha {profile.Alpha:0.00} beta {profile.Beta:0.0} coefs {string.Join(" ", profile.Models[0].Coefficients.Select(c => c.ToString("0.0e0", CultureInfo.InvariantCulture)))}"));
                }
            }
            catch (CalibrationException e)
            {
                Console.Error.WriteLine($"{machine.Family}/{machine.Seed}: {e.Message}");
            }

            foreach (string scenario in scenarios)
            {
                LabSimulation simulation = LabSimulation.Create(machine.Family, machine.Seed, scenario, seconds, idleSeconds: idle);
                (string Name, Attributor Attributor, SweepScore Score)[] runs =
                [
                    .. variants.Where(variant => profile is not null || !variant.StartsWith("cal", StringComparison.Ordinal)).Select(variant => (variant, new Attributor(new AttributionOptions
                    {
                        Signatures = variant.EndsWith("+sig", StringComparison.Ordinal),
                        Profile = variant.StartsWith("cal", StringComparison.Ordinal) ? profile : null,
                    }), new SweepScore())),
                ];
                while (simulation.Advance())
                {
                    foreach ((string _, Attributor attributor, SweepScore score) in runs)
                    {
                        score.Add(simulation, attributor.Attribute(simulation.Observation));
                    }
                }

                foreach ((string name, Attributor _, SweepScore score) in runs)
                {
                    score.Close();
                    results.Add((machine.Family, scenario, name, score));
                    if (detail)
                    {
                        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{machine.Family}/{machine.Seed} {scenario} {name}: {score}"));
                    }
                }
            }
        });

        foreach (string by in new[] { "scenario", "family" })
        {
            Console.WriteLine($"by {by}: median error / worst error / 1 s windows / coverage / median width / interval score; dram error; static error");
            foreach (IGrouping<string, (string Family, string Scenario, string Variant, SweepScore Score)> group in results.GroupBy(r => by == "scenario" ? r.Scenario : r.Family).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                foreach (string variant in variants)
                {
                    SweepScore[] scores = [.. group.Where(r => r.Variant == variant).Select(r => r.Score)];
                    if (scores.Length > 0)
                    {
                        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {group.Key,-18} {variant,-9} {Median(scores, s => s.Error),6:P1} {scores.Max(s => s.Error),6:P1} {Median(scores, s => s.WindowError),6:P1}  cov {scores.Average(s => s.Coverage),6:P1} (least {scores.Min(s => s.Coverage):P0}) width {Median(scores, s => s.Width),6:P1} score {Median(scores, s => s.IntervalScore),6:P1}  dram {Median(scores, s => s.DramError),6:P1} static {Median(scores, s => s.StaticError),6:P1} {scores.Max(s => s.StaticError),6:P1}"));
                    }
                }
            }
        }

        return 0;
    }

    private static double Median(SweepScore[] scores, Func<SweepScore, double> of)
    {
        double[] values = [.. scores.Select(of).Where(v => !double.IsNaN(v)).Order()];
        return values.Length == 0 ? double.NaN : (values[values.Length / 2] + values[(values.Length - 1) / 2]) / 2;
    }
}
