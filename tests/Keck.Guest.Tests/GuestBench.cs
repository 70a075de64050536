using System.Text;
using System.Text.Json;
using Keck.Agent;
using Keck.Metering;
using Keck.Power;
using Microsoft.Extensions.Logging;

namespace Keck.Guest.Tests;

/// <summary>A budget feed under an engine, on a made-up machine of two CPUs on which one process runs on each.</summary>
internal sealed class GuestBench : IRunSource, IWorkloads, ILogger, IDisposable
{
    private const long Second = 1_000_000_000;
    private readonly string _root = Directory.CreateTempSubdirectory("keck-guest-").FullName;
    private readonly MeterSet _estimate;
    private readonly int[] _threads = [-1, -1];
    private long _end;

    internal GuestBench(EnergyLedger? ledger = null, JsonElement? saved = null)
    {
        Write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t: 1\nflags\t: hypervisor\n\nprocessor\t: 1\n");
        Write("proc/meminfo", "MemTotal: 1000000 kB\n");
        Write("sys/devices/system/cpu/online", "0-1\n");
        _estimate = MeterSet.Discover(new PowerOptions { ProcRoot = Path.Combine(_root, "proc"), SysRoot = Path.Combine(_root, "sys") }, Time, this);
        _estimate.Start();
        Feed = new BudgetFeed(_estimate, Time, this);
        if (saved is { } state)
        {
            Feed.Resume(state);
        }

        Engine = new MeteringEngine(this, Feed, this, new Attributor(), ledger ?? new EnergyLedger(Guid.NewGuid()), new EngineOptions(), Time);
    }

    public string Name => "made up";

    internal FakeTime Time { get; } = new();

    internal BudgetFeed Feed { get; }

    internal MeteringEngine Engine { get; }

    internal List<int> Logged { get; } = [];

    /// <summary>Energy of budget meters in the ledger, µJ.</summary>
    internal long Budgeted => Engine.Ledger().Meters.Where(meter => meter.Meter.Origin == EnergyOrigin.Budget).Sum(meter => meter.Total);

    /// <summary>The part of it that is owned by nobody's runs.</summary>
    internal long Unattributed => Engine.Ledger().Meters.Where(meter => meter.Meter.Origin == EnergyOrigin.Budget).Sum(meter => meter.UnattributedActive);

    internal void Tick()
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        Engine.Tick();
    }

    /// <summary>The state as it would be saved.</summary>
    internal JsonElement Saved()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            Feed.Write(json);
            Engine.WriteState(json);
            json.WriteEndObject();
        }

        return JsonSerializer.Deserialize<JsonElement>(Encoding.UTF8.GetString(stream.ToArray()));
    }

    /// <summary>Another run of the agent over a saved state.</summary>
    internal static GuestBench Resumed(JsonElement saved) => new(LedgerState.Read(saved, epoch: null), saved);

    public void Drain(Observation into)
    {
        into.EndNanoseconds = _end += Second;
        for (int cpu = 0; cpu < 2; cpu++)
        {
            if (_threads[cpu] < 0)
            {
                _threads[cpu] = into.ThreadTable.Add(new ThreadRow { Tid = 10 + cpu, Pid = 10 + cpu, StartNanoseconds = 5, Name = "p" + cpu });
            }

            into.Threads.Add() = new ThreadSample
            {
                Row = _threads[cpu],
                FirstRun = into.Runs.Count,
                RunCount = 1,
                Instructions = Unobserved.Value,
                Cycles = Unobserved.Value,
                LlcMisses = Unobserved.Value,
            };
            into.Runs.Add() = new RunSample { Cpu = cpu, Nanoseconds = Second / 2, KiloCycles = Unobserved.Value };
            into.Cpus.Add() = new CpuSample { Cpu = cpu, BusyNanoseconds = Second / 2, IdleNanoseconds = Second / 2, KiloHertz = Unobserved.Value };
        }
    }

    public void Resolve(Observation observation)
    {
        for (int cpu = 0; cpu < 2; cpu++)
        {
            int process = observation.ProcessTable.FindOrAdd(10 + cpu, 5, "p" + cpu, kernel: false);
            observation.ProcessTable[process].PssKibibytes = 1000;
            observation.ThreadTable[_threads[cpu]].Process = process;
        }
    }

    public void Forget(int process)
    {
    }

    public void Dispose()
    {
        _estimate.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Logged.Add(eventId.Id);

    private void Write(string path, string text)
    {
        string file = Path.Combine(_root, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
