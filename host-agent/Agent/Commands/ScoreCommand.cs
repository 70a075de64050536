using System.CommandLine;
using System.Text.Json;
using Keck.Agent;
using Keck.Metering;

namespace Keck.Host;

/// <summary><c>keck-host score</c>: how far an estimate is from a known truth.</summary>
internal static class ScoreCommand
{
    internal static Command Create()
    {
        Argument<FileInfo> estimate = new("ESTIMATE") { Description = "figures that replay wrote, plain or gzip" };
        Argument<FileInfo> truth = new("TRUTH") { Description = "the truth, NDJSON, one object a tick" };
        Option<FileInfo?> trace = new("--trace") { Description = "the trace: checks conservation, tells domains and lengths of ticks", HelpName = "TRACE" };
        Option<int> tick = new("--tick") { Description = "length of a tick, ms, where neither trace nor truth tells it", HelpName = "MS", DefaultValueFactory = _ => 100 };
        Option<bool> json = new("--json") { Description = "one JSON object; 1 is 100 %" };
        Command command = new("score", "compare replayed figures with a known truth") { estimate, truth, trace, tick, json };
        command.SetAction(parsed =>
        {
            int milliseconds = parsed.GetValue(tick);
            if (milliseconds is < 1 or > 3_600_000)
            {
                Console.Error.WriteLine($"keck-host: --tick: {milliseconds} is not within 1 to 3600000");
                return ExitCodes.Usage;
            }

            try
            {
                using FileStream left = parsed.GetValue(estimate)!.OpenRead();
                using FileStream right = parsed.GetValue(truth)!.OpenRead();
                using FileStream? observed = parsed.GetValue(trace)?.OpenRead();
                Print(AccuracyScore.Run(left, right, observed, milliseconds * 1_000_000L), parsed.GetValue(json));
                return ExitCodes.Ok;
            }
            catch (Exception e) when (e is TraceFormatException or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"keck-host: {e.Message}");
                return ExitCodes.Failed;
            }
        });
        return command;
    }

    private static void Print(AccuracyReport report, bool asJson)
    {
        if (!asJson)
        {
            Console.Out.Write(AccuracyText.Table(report));
            return;
        }

        using Stream output = Console.OpenStandardOutput();
        using Utf8JsonWriter json = new(output);
        AccuracyText.WriteJson(report, json);
        json.Flush();
        output.WriteByte((byte)'\n');
    }
}
