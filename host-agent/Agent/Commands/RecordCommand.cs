using System.CommandLine;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using Keck.Agent;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Host;

/// <summary><c>keck-host record</c>: meters this machine for a while and writes the trace, with the live figures beside it if asked.</summary>
internal static class RecordCommand
{
    internal static Command Create()
    {
        Option<FileInfo> output = new("--out") { Description = "trace to write; a name that ends in .gz is compressed", HelpName = "FILE", Required = true };
        Option<double> seconds = new("--seconds") { Description = "how long", HelpName = "S", DefaultValueFactory = _ => 60 };
        Option<FileInfo?> figures = new("--figures") { Description = "also write the live figures, as replay would", HelpName = "FILE" };
        Command command = new("record", "record what is observed, for replay, support and audit") { output, seconds, figures };
        SettingFlags settings = new(Settings.Table, command, "profile", "idle", "model", "calibration", "runs", "estimate", "budget", "path.procfs", "path.sysfs", "path.rootfs");
        command.SetAction((parsed, cancellation) =>
        {
            double length = parsed.GetValue(seconds);
            if (length is not (> 0 and <= 86_400))
            {
                Console.Error.WriteLine("keck-host: --seconds must be above 0 and at most 86400");
                return Task.FromResult(ExitCodes.Usage);
            }

            if (parsed.GetValue(output)!.Name == "-")
            {
                Console.Error.WriteLine("keck-host: --out takes a file: a trace is not written to standard output");
                return Task.FromResult(ExitCodes.Usage);
            }

            return settings.Load(parsed) is HostOptions options
                ? RecordAsync(options, parsed.GetValue(output)!, parsed.GetValue(figures), TimeSpan.FromSeconds(length), cancellation)
                : Task.FromResult(ExitCodes.Usage);
        });
        return command;
    }

    private static async Task<int> RecordAsync(HostOptions options, FileInfo output, FileInfo? figures, TimeSpan length, CancellationToken cancellation)
    {
        TimeProvider time = TimeProvider.System;
        try
        {
            using HostAgent agent = HostAgent.Create(options, time, NullLoggerFactory.Instance);
            if (agent.Calibration.NotUsedBecause is { } why)
            {
                Console.Error.WriteLine($"keck-host: recorded uncalibrated: {why}");
            }

            Stream file = output.Create();
            await using ConfiguredAsyncDisposable closing = file.ConfigureAwait(false);
            Stream trace = output.Name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : new BufferedStream(file, 1 << 16);
            await using ConfiguredAsyncDisposable flushing = trace.ConfigureAwait(false);
            Stream? live = figures?.Create();
            await using (live ?? Stream.Null)
            {
                // The first tick only sets the starting point: the header's state is that from which the second goes on.
                agent.Engine.Tick();
                Recorder? recorder = null;
                await LiveLoop.RunAsync(agent, length, time, beforeFirst: () => recorder = Recorder.Attach(agent, options, trace, live), cancellation).ConfigureAwait(false);
                recorder?.Finish();
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"keck-host: {agent.Engine.Ticks} ticks in {output.FullName}{(figures is null ? "" : $", figures in {figures.FullName}")}"));
            }

            return ExitCodes.Ok;
        }
        catch (StartException e)
        {
            Console.Error.WriteLine($"keck-host: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"keck-host: {output.FullName}: {e.Message}");
            return ExitCodes.Failed;
        }
    }
}
