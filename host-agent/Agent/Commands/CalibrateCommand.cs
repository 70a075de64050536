using System.CommandLine;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Keck.Agent;
using Keck.Metering;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Host;

/// <summary><c>keck-host calibrate</c>: finds out what this machine draws idle and what makes it draw more.</summary>
internal static class CalibrateCommand
{
    private const double DefaultStep = 7;
    private const double LeastStep = 0.2;

    internal static Command Create()
    {
        Option<FileInfo?> trace = new("--trace") { Description = "fit to this trace of a commissioning run instead of making one", HelpName = "TRACE" };
        Option<FileInfo> output = new("--out") { Description = "machine profile to write", HelpName = "PROFILE.json", Required = true };
        Option<FileInfo?> keep = new("--keep-trace") { Description = "also write the trace of the run; a name that ends in .gz is compressed", HelpName = "FILE" };
        Option<double?> seconds = new("--seconds-per-step")
        {
            Description = string.Create(CultureInfo.InvariantCulture, $"how long each kind of load runs on each number of CPUs (default {DefaultStep}); all together take {CalibrationPlan.Longest.TotalMinutes} minutes at most"),
            HelpName = "S",
        };
        Option<bool> frequencies = new("--frequencies") { Description = "run at lower frequencies too: sets scaling_max_freq of every CPU and puts it back" };
        Option<bool> force = new("--force") { Description = "calibrate a busy machine all the same; its idlest moments stand for idle ones" };
        Command command = new("calibrate", "find out what this machine draws idle and under load, and write its profile") { trace, output, keep, seconds, frequencies, force };
        SettingFlags settings = new(Settings.Table, command, "runs", "path.procfs", "path.sysfs", "path.rootfs");
        command.SetAction((parsed, cancellation) =>
        {
            FileInfo file = parsed.GetValue(output)!;
            bool busy = parsed.GetValue(force);
            if (parsed.GetValue(trace) is { } recorded)
            {
                return Task.FromResult(parsed.GetValue(keep) is not null || parsed.GetValue(seconds) is not null || parsed.GetValue(frequencies)
                    ? Wrong("--keep-trace, --seconds-per-step and --frequencies are for a run on this machine, not for one that was recorded (--trace)")
                    : FromTrace(recorded, file, busy));
            }

            double step = parsed.GetValue(seconds) ?? DefaultStep;
            if (step is not (>= LeastStep and <= 300))
            {
                return Task.FromResult(Wrong(string.Create(CultureInfo.InvariantCulture, $"--seconds-per-step must be at least {LeastStep}, and all steps together at most {CalibrationPlan.Longest.TotalMinutes} minutes")));
            }

            return settings.Load(parsed) is HostOptions options
                ? LiveAsync(
                    options with { Profile = ProfileKind.Full, Model = null, Calibration = null, Estimate = false },
                    file, parsed.GetValue(keep), TimeSpan.FromSeconds(step), parsed.GetValue(frequencies), busy, cancellation)
                : Task.FromResult(ExitCodes.Usage);
        });
        return command;
    }

    private static int FromTrace(FileInfo trace, FileInfo output, bool busy)
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
                Say($"{trace.FullName}: {cut}");
            }

            return Save(calibrator.Fit(busy), output);
        }
        catch (Exception e) when (e is TraceFormatException or CalibrationException)
        {
            return Failed($"{trace.FullName}: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Failed(e.Message);
        }
    }

    private static async Task<int> LiveAsync(
        HostOptions options, FileInfo output, FileInfo? keep, TimeSpan step, bool slower, bool force, CancellationToken cancellation)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);

        // A terminal that goes away would end the process where it stands, the frequencies as they are.
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            stop.Cancel();
        });
        try
        {
            ProfileFiles.Try(output);
            using HostAgent agent = HostAgent.Create(options, TimeProvider.System, NullLoggerFactory.Instance);
            CalibrationPlan plan = CalibrationPlan.For(agent.PowerMeters.Topology.Cpus.Length, step, slower);
            if (plan.Length > CalibrationPlan.Longest)
            {
                return Wrong(string.Create(CultureInfo.InvariantCulture, $"{plan.Steps.Length} steps would take {plan.Length.TotalSeconds:0} s, and {CalibrationPlan.Longest.TotalSeconds:0} s are the most: use a shorter --seconds-per-step"));
            }

            using CpuFrequencies? frequencies = slower ? CpuFrequencies.Open(options.SysRoot, agent.PowerMeters.Topology, Say) : null;
            Stream? file = keep?.Create();
            await using ConfiguredAsyncDisposable closing = (file ?? Stream.Null).ConfigureAwait(false);
            Stream? trace = file is not null && keep!.Name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : file;
            await using ConfiguredAsyncDisposable flushing = (trace ?? Stream.Null).ConfigureAwait(false);
            CommissioningRun run = new(agent, plan, frequencies, TimeProvider.System, Say) { Force = force };
            return Save(await run.RunAsync(trace, stop.Token).ConfigureAwait(false), output);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Failed("stopped; no profile was written");
        }
        catch (Exception e) when (e is StartException or CalibrationException or IOException or UnauthorizedAccessException)
        {
            return Failed(e.Message);
        }
    }

    private static int Save(MachineProfile profile, FileInfo output)
    {
        ProfileFiles.Write(output, profile);
        foreach ((string id, StaticPower power) in profile.Static)
        {
            string used = profile.Floors([]).ContainsKey(id) ? "" : ": too much in doubt to be used; calibrate again when nobody else runs";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{id}: {power.Watts:0.00} W static, ± {power.Deviation:0.00} W{used}"));
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

        Console.WriteLine($"written to {output.FullName}; use it: keck-host run --calibration {output.FullName}");
        return ExitCodes.Ok;
    }

    private static int Failed(string why)
    {
        Say(why);
        return ExitCodes.Failed;
    }

    private static int Wrong(string why)
    {
        Say(why);
        return ExitCodes.Usage;
    }

    private static void Say(string text) => Console.Error.WriteLine($"keck-host: {text}");
}
