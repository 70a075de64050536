using System.CommandLine;
using System.Globalization;
using Keck.Agent;
using Keck.Metering;

namespace Keck.Host;

/// <summary><c>keck-host calibrate</c>: finds out what this machine draws idle and what makes it draw more.</summary>
internal static class CalibrateCommand
{
    internal static Command Create()
    {
        Option<FileInfo> trace = new("--trace") { Description = "trace of a commissioning run to fit to", HelpName = "TRACE", Required = true };
        Option<FileInfo> output = new("--out") { Description = "machine profile to write", HelpName = "PROFILE.json", Required = true };
        Command command = new("calibrate", "fit a machine profile to a commissioning run") { trace, output };
        command.SetAction(parsed => FromTrace(parsed.GetValue(trace)!, parsed.GetValue(output)!));
        return command;
    }

    private static int FromTrace(FileInfo trace, FileInfo output)
    {
        try
        {
            using FileStream input = trace.OpenRead();
            using TraceReader reader = new(input);
            Calibrator calibrator = new(reader.Header.Host, reader.Header.StartedAt, reader.Header.Cpu);
            while (reader.Read())
            {
                calibrator.Add(reader.Observation);
            }

            if (reader.Cut is { } cut)
            {
                Console.Error.WriteLine($"keck-host: {trace.FullName}: {cut}; what comes before it is used");
            }

            return Save(calibrator.Fit(), output);
        }
        catch (Exception e) when (e is TraceFormatException or CalibrationException)
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

    internal static int Save(MachineProfile profile, FileInfo output)
    {
        // Written beside and moved: who reads the old one meanwhile reads all of it.
        string beside = output.FullName + ".new";
        File.WriteAllBytes(beside, MachineProfileFile.Write(profile));
        File.Move(beside, output.FullName, overwrite: true);
        foreach ((string id, StaticPower power) in profile.Static)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{id}: {power.Watts:0.00} W static, ± {power.Deviation:0.00} W"));
        }

        foreach (PowerModel model in profile.Models)
        {
            string needs = model.Needs switch
            {
                PowerNeeds.Counters => "time, frequency and counters",
                PowerNeeds.Frequency => "time and frequency",
                _ => "time alone",
            };
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"model by {needs}: off by {model.Residual:P1} of the active energy"));
        }

        Console.WriteLine($"written to {output.FullName}");
        return ExitCodes.Ok;
    }
}
