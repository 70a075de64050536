using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Keck.Host.Tests;

/// <summary>
/// This machine with a made-up meter: its own procfs and CPUs, and a RAPL counter that rises by <see cref="StaticWatts"/> and by
/// <see cref="CpuWatts"/> for each CPU that is busy, as /proc/stat says. <c>keck-host calibrate</c> runs on it as a process of its own.
/// </summary>
internal sealed class CommissionedHost : IAsyncDisposable
{
    internal const double StaticWatts = 20;
    internal const double CpuWatts = 10;

    /// <summary>Of every CPU, kHz.</summary>
    internal const int LowestKiloHertz = 1_000_000, HighestKiloHertz = 3_000_000;

    // /proc/stat counts in these: USER_HZ.
    private const double SecondsInJiffy = 0.01;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly string _folder = Directory.CreateTempSubdirectory("keck-commissioned-").FullName;
    private readonly CancellationTokenSource _off = new();
    private readonly Task _meter;
    private readonly List<string> _lines = [];
    private readonly Lock _gate = new();
    private Process? _process;

    internal CommissionedHost(bool metered = true)
    {
        string online = File.ReadAllText("/sys/devices/system/cpu/online");
        Write("devices/system/cpu/online", online);
        foreach (int cpu in Enumerable.Range(0, Environment.ProcessorCount))
        {
            Write($"devices/system/cpu/cpu{cpu}/topology/core_id", $"{cpu}");
            Write($"devices/system/cpu/cpu{cpu}/topology/physical_package_id", "0");
            Write($"devices/system/cpu/cpu{cpu}/cpufreq/cpuinfo_min_freq", $"{LowestKiloHertz}");
            Write($"devices/system/cpu/cpu{cpu}/cpufreq/scaling_min_freq", $"{LowestKiloHertz}");
            Write($"devices/system/cpu/cpu{cpu}/cpufreq/scaling_max_freq", $"{HighestKiloHertz}");
        }

        _ = Directory.CreateDirectory(Path.Combine(Sys, "fs"));
        _ = Directory.CreateSymbolicLink(Path.Combine(Sys, "fs/cgroup"), "/sys/fs/cgroup");
        _ = Directory.CreateSymbolicLink(Path.Combine(Sys, "kernel"), "/sys/kernel");
        if (metered)
        {
            Write("class/powercap/intel-rapl:0/name", "package-0");
            Write("class/powercap/intel-rapl:0/enabled", "1");
            Write("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850");
            Write("class/powercap/intel-rapl:0/energy_uj", Counter(1_000_000));
        }

        _meter = metered ? MeterAsync() : Task.CompletedTask;
    }

    internal string Sys => Path.Combine(_folder, "sys");

    internal string Profile => Path.Combine(_folder, "out", "profile.json");

    internal string Trace => Path.Combine(_folder, "out", "run.ndjson");

    /// <summary>Everything in the folder where the profile goes.</summary>
    internal IEnumerable<string?> Written => Directory.GetFileSystemEntries(Path.Combine(_folder, "out")).Select(Path.GetFileName);

    /// <summary>The upper limits of the CPUs' frequencies now, kHz.</summary>
    internal IEnumerable<string> Limits => Enumerable.Range(0, Environment.ProcessorCount)
        .Select(cpu => File.ReadLines(Path.Combine(Sys, $"devices/system/cpu/cpu{cpu}/cpufreq/scaling_max_freq")).First());

    /// <summary>What it has said so far.</summary>
    internal string[] Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Names of its threads that make load.</summary>
    internal IEnumerable<string> LoadThreads => _process!.HasExited
        ? []
        : Directory.EnumerateDirectories($"/proc/{_process.Id}/task").Select(Name).Where(name => name.StartsWith("keck-load-", StringComparison.Ordinal));

    /// <summary>Starts to calibrate.</summary>
    internal void Start(params string[] arguments)
    {
        HostBinary.Require();
        _ = Directory.CreateDirectory(Path.GetDirectoryName(Profile)!);
        ProcessStartInfo start = new(HostBinary.Path, ["calibrate", "--out", Profile, "--runs", "ebpf", "--path.sysfs", Sys, .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Said(line.Data);
        _process.OutputDataReceived += (_, line) => Said(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>Waits for a condition while it runs.</summary>
    internal async Task UntilAsync(string what, Func<bool> condition)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            Assert.False(_process!.HasExited, $"it ended while waiting for {what}:\n{string.Join('\n', Lines)}");
            _ = await poll.WaitForNextTickAsync(patience.Token);
        }
    }

    internal void Signal(string signal) => HostBinary.Signal(_process!.Id, signal);

    /// <summary>Waits for its end; the exit code.</summary>
    internal async Task<int> EndAsync()
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        await _process!.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        await _off.CancelAsync();
        await _meter;
        _off.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Name(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim();
        }
        catch (IOException)
        {
            return ""; // A thread that has just ended.
        }
    }

    private void Said(string? line)
    {
        if (line is not null)
        {
            lock (_gate)
            {
                _lines.Add(line);
            }
        }
    }

    private async Task MeterAsync()
    {
        string file = Path.Combine(Sys, "class/powercap/intel-rapl:0/energy_uj");
        using PeriodicTimer update = new(TimeSpan.FromMilliseconds(5));
        TimeProvider time = TimeProvider.System;
        long began = time.GetTimestamp();
        double busyBefore = BusySeconds();
        try
        {
            while (await update.WaitForNextTickAsync(_off.Token))
            {
                double joules = (StaticWatts * time.GetElapsedTime(began).TotalSeconds) + (CpuWatts * (BusySeconds() - busyBefore));

                // One write of the same length: no reader sees half of it.
                using FileStream counter = new(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                counter.Write(Encoding.ASCII.GetBytes(Counter(1_000_000 + (long)(joules * 1e6))));
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static string Counter(long microjoules) => microjoules.ToString(CultureInfo.InvariantCulture).PadRight(20) + "\n";

    // user, nice, system, then idle, iowait, irq, softirq, steal.
    private static double BusySeconds()
    {
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields[1..4].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) * SecondsInJiffy;
    }

    private void Write(string path, string text)
    {
        string file = Path.Combine(Sys, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text.TrimEnd('\n') + "\n");
    }
}
