using System.CommandLine;
using System.Globalization;
using Keck.Agent;
using Keck.Metering;
using Keck.Power;

namespace Keck.Host;

/// <summary><c>keck-host replay</c>: attributes a trace again and writes the figures.</summary>
internal static class ReplayCommand
{
    internal static Command Create()
    {
        Argument<FileInfo> trace = new("TRACE") { Description = "trace to read, plain or gzip" };
        Option<FileInfo> output = new("--out") { Description = "figures to write, NDJSON, one object a tick", HelpName = "FILE", Required = true };
        Option<string?> model = new("--model") { Description = "the most detailed model: auto, time, frequency, full, calibrated or adaptive (default: as recorded)", HelpName = "MODEL" };
        Option<string?> idle = new("--idle") { Description = "separate, proportional or allocated (default: as recorded)", HelpName = "POLICY" };
        Option<string?> signatures = new("--signatures") { Description = "on or off: learn a factor for each large consumer (default: as recorded, else on)", HelpName = "on|off" };
        Option<FileInfo?> calibration = new("--calibration") { Description = "machine profile that keck-host calibrate wrote", HelpName = "PROFILE.json" };
        Option<bool> cold = new("--cold") { Description = "start without what the live attribution had learned" };
        Command command = new("replay", "attribute a recorded trace again") { trace, output, model, idle, signatures, calibration, cold };
        command.SetAction(parsed =>
        {
            string? modelName = parsed.GetValue(model), idleName = parsed.GetValue(idle);
            if (modelName is not (null or "auto") && AttributionNames.ParseModel(modelName) is null)
            {
                Console.Error.WriteLine($"keck-host: --model: '{modelName}' is none of auto, time, frequency, full, calibrated, adaptive");
                return ExitCodes.Usage;
            }

            if (idleName is not null && AttributionNames.ParsePolicy(idleName) is null)
            {
                Console.Error.WriteLine($"keck-host: --idle: '{idleName}' is none of separate, proportional, allocated");
                return ExitCodes.Usage;
            }

            string? signing = parsed.GetValue(signatures);
            if (signing is not (null or "on" or "off"))
            {
                Console.Error.WriteLine($"keck-host: --signatures: '{signing}' is neither on nor off");
                return ExitCodes.Usage;
            }

            MachineProfile? profile = null;
            if (parsed.GetValue(calibration) is { } file && ProfileFiles.Read(file, out profile) is { } problem)
            {
                Console.Error.WriteLine($"keck-host: --calibration: {problem}");
                return ExitCodes.Failed;
            }

            if (modelName == "calibrated" && profile is null)
            {
                Console.Error.WriteLine("keck-host: --model calibrated needs --calibration PROFILE.json");
                return ExitCodes.Usage;
            }

            ReplayOptions options = new()
            {
                OverrideModel = modelName is not null,
                Model = modelName is null or "auto" ? null : AttributionNames.ParseModel(modelName),
                Idle = idleName is null ? null : AttributionNames.ParsePolicy(idleName),
                Signatures = signing is null ? null : signing == "on",
                Profile = profile,
                IdlePrior = IdlePriors.For,
                ColdStart = parsed.GetValue(cold),
            };
            return Run(parsed.GetValue(trace)!, parsed.GetValue(output)!, options);
        });
        return command;
    }

    private static int Run(FileInfo trace, FileInfo output, ReplayOptions options)
    {
        try
        {
            using FileStream input = trace.OpenRead();
            using BufferedStream figures = new(output.Create(), 1 << 16);
            ReplaySummary summary = Replay.Run(input, options, figures);
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"keck-host: {summary.Ticks} ticks, {summary.Length.Seconds:0.0} s, idle policy {summary.Idle.Name()}"));
            foreach ((string meter, Microjoules energy) in summary.Energy)
            {
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {meter}: {energy.Joules:0.000000} J, every microjoule owned"));
            }

            if (summary.Header.InitialState?.Calibration is { } recorded && recorded != options.Profile?.Hash)
            {
                Console.Error.WriteLine(
                    $"keck-host: {trace.FullName} was recorded with the calibration {recorded}, these figures are {(options.Profile is { } other ? $"with {other.Hash}" : "without one")}: they differ from the live ones");
            }

            if (summary.Cut is null)
            {
                return ExitCodes.Ok;
            }

            Console.Error.WriteLine($"keck-host: {trace.FullName}: {summary.Cut}");
            return ExitCodes.Failed;
        }
        catch (TraceFormatException e)
        {
            Console.Error.WriteLine($"keck-host: {trace.FullName}: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"keck-host: {e.Message}");
            return ExitCodes.Failed;
        }
    }
}
