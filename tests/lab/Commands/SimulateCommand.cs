using System.CommandLine;
using System.IO.Compression;
using Keck.Metering;

namespace Keck.Lab;

/// <summary><c>keck-lab simulate</c>: a trace, and the truth beside it.</summary>
internal static class SimulateCommand
{
    internal static Command Create()
    {
        Option<string> family = new("--family") { Description = "family of machines (keck-lab list)", Required = true };
        Option<int> seed = new("--seed") { Description = "which machine of the family", DefaultValueFactory = _ => 1 };
        Option<string> scenario = new("--scenario") { Description = "what it is busy with", DefaultValueFactory = _ => "mixed" };
        Option<int> run = new("--run") { Description = "other workloads of the same scenario on the same machine" };
        Option<double> seconds = new("--seconds") { Description = "length", DefaultValueFactory = _ => 30 };
        Option<double?> idle = new("--idle-first") { Description = "seconds that the host is idle first (default: as the scenario says)" };
        Option<int> tick = new("--tick") { Description = "length of a tick, ms, a multiple of 5", DefaultValueFactory = _ => 100 };
        Option<FileInfo> output = new("--out") { Description = "trace to write; gzip where the name ends in .gz", Required = true };
        Option<FileInfo> truth = new("--truth") { Description = "truth to write", Required = true };
        Command command = new("simulate", "write a trace and its truth") { family, seed, scenario, run, seconds, idle, tick, output, truth };
        command.SetAction(parsed =>
        {
            double length = parsed.GetValue(seconds);
            int milliseconds = parsed.GetValue(tick);
            if (length is not (> 0 and <= 86_400) || milliseconds is < 5 or > 60_000 || milliseconds % 5 != 0)
            {
                Console.Error.WriteLine("keck-lab: --seconds goes from above 0 to 86400, --tick from 5 to 60000 in steps of 5");
                return 2;
            }

            try
            {
                LabSimulation simulation = LabSimulation.Create(
                    parsed.GetValue(family)!, parsed.GetValue(seed), parsed.GetValue(scenario)!, length, parsed.GetValue(run), parsed.GetValue(idle), milliseconds);
                return Write(simulation, parsed.GetValue(output)!, parsed.GetValue(truth)!);
            }
            catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"keck-lab: {e.Message}");
                return e is ArgumentException ? 2 : 1;
            }
        });
        return command;
    }

    private static int Write(LabSimulation simulation, FileInfo output, FileInfo truth)
    {
        using Stream file = output.Create();
        using Stream plain = output.Name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : new BufferedStream(file, 1 << 16);
        using BufferedStream truthFile = new(truth.Create(), 1 << 16);
        using TraceWriter trace = new(plain, simulation.Header);
        using TruthWriter known = new(truthFile);
        while (simulation.Advance())
        {
            trace.Write(simulation.Observation);
            known.Write(simulation);
        }

        Console.Error.WriteLine($"keck-lab: {simulation.Header.Host}: {simulation.Machine.Cpus} CPUs, {simulation.Load.Consumers.Count} consumers, {trace.Ticks} ticks");
        return 0;
    }
}
