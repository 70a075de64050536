using Keck.Metering;
using Keck.Tests;
using Microsoft.Extensions.Logging;

namespace Keck.Power.Tests;

/// <summary>A meter set over a tree, with a clock, ticks and a log that a test can look into.</summary>
internal sealed class Bench : IDisposable, ILogger
{
    private readonly HostTree _tree;
    private readonly bool _owned;

    private Bench(HostTree tree, bool owned, FakeFiles? files, FakePerf? perf, PowerOptions? options)
    {
        _tree = tree;
        _owned = owned;
        Files = files ?? new FakeFiles();
        Perf = perf ?? new FakePerf();
        Set = MeterSet.Discover((options ?? new PowerOptions()) with { SysRoot = tree.Sys, ProcRoot = tree.Proc }, Time, this, Files, Perf);
        Observation.Topology = Set.Topology;
    }

    internal FakeTime Time { get; } = new();

    internal FakeFiles Files { get; }

    internal FakePerf Perf { get; }

    internal MeterSet Set { get; }

    internal HostTree Tree => _tree;

    internal Observation Observation { get; } = new();

    internal List<(int Id, string Text)> Logged { get; } = [];

    /// <summary>Over the fixture itself.</summary>
    internal static Bench Over(string host, FakeFiles? files = null, FakePerf? perf = null, PowerOptions? options = null) =>
        new(Fixtures.Host(host), owned: false, files, perf, options);

    /// <summary>Over a copy that the test changes.</summary>
    internal static Bench OverCopy(string host, FakeFiles? files = null, FakePerf? perf = null, PowerOptions? options = null, Action<HostTree>? prepare = null)
    {
        HostTree copy = Fixtures.Host(host).CopyToTemp();
        prepare?.Invoke(copy);
        return new(copy, owned: true, files, perf, options);
    }

    /// <summary>Lets time pass and ends a tick in which every CPU worked the given part of the time.</summary>
    internal void Tick(double seconds = 0.5, double busy = 0.5)
    {
        long start = Observation.Tick == 0 ? Time.Now : Observation.EndNanoseconds;
        Time.Advance(seconds);
        Observation.Begin(Observation.Tick + 1, start);
        Observation.EndNanoseconds = Time.Now;
        long interval = Time.Now - start;
        foreach (CpuPlace place in Observation.Topology.Cpus)
        {
            ref CpuSample cpu = ref Observation.Cpus.Add();
            cpu.Cpu = place.Cpu;
            cpu.BusyNanoseconds = (long)(interval * busy);
            cpu.IdleNanoseconds = interval - cpu.BusyNanoseconds;
        }

        Set.Sample(Observation);
    }

    /// <summary>This tick's sample of a meter; null where it said nothing.</summary>
    internal MeterSample? SampleOf(string id)
    {
        foreach (MeterSample sample in Observation.MeterSamples.Items)
        {
            if (Observation.Meters[sample.Meter].Id == id)
            {
                return sample;
            }
        }

        return null;
    }

    internal MeterState StateOf(string id) => Set.States().Single(state => state.Meter.Id == id);

    internal Meter MeterOf(string id) => Set.Meters.Single(meter => meter.Id == id);

    internal string[] Selected => [.. Set.Meters.Where(meter => meter.Selected).Select(meter => meter.Id)];

    internal IEnergySource Source(string name) => Set.Sources.Single(source => source.Name == name);

    public void Dispose()
    {
        Set.Dispose();
        if (_owned)
        {
            _tree.Dispose();
        }
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Logged.Add((eventId.Id, formatter(state, exception)));
}
