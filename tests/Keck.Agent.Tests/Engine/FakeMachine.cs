using Keck.Metering;

namespace Keck.Agent.Tests;

/// <summary>A machine of one CPU and one package counter for the engine: every tick each live thread runs, and energy is counted.</summary>
internal sealed class FakeMachine : IRunSource, IMeterFeed, IWorkloads
{
    internal const long TickNanoseconds = 500_000_000;
    private const long RunNanoseconds = 10_000_000;

    private readonly List<int> _threads = [];
    private readonly List<int> _ending = [];
    private readonly List<int> _starting = [];
    private long _now = TickNanoseconds;

    public string Name => "fake";

    public Topology Topology { get; } = new([new CpuPlace(0, 0, 0, 0)], null);

    internal FakeClock Clock { get; } = new();

    /// <summary>What happened, in order: drain, meters, workloads.</summary>
    internal List<string> Calls { get; } = [];

    /// <summary>Process rows that the workloads were told to forget.</summary>
    internal List<int> Forgotten { get; } = [];

    /// <summary>Energy of each tick, µJ.</summary>
    internal long Microjoules { get; set; } = 1_000_003;

    /// <summary>Energy given in all, µJ.</summary>
    internal long Given { get; private set; }

    internal MeteringEngine Engine(EngineOptions? options = null) =>
        new(this, this, this, new Attributor(), new EnergyLedger(Guid.Empty), options ?? new EngineOptions(), Clock);

    /// <summary>A thread is born at the next tick.</summary>
    internal void Start(int pid) => _starting.Add(pid);

    /// <summary>A thread runs for the last time at the next tick.</summary>
    internal void End(int pid) => _ending.Add(pid);

    /// <summary>Lets the ticks' time pass quicker, for ages.</summary>
    internal void Pass(long nanoseconds) => _now += nanoseconds;

    public void Drain(Observation into)
    {
        Calls.Add("drain");
        Clock.Advance(TimeSpan.FromMilliseconds(3));
        into.EndNanoseconds = _now;
        _now += TickNanoseconds;
        foreach (int pid in _starting)
        {
            ThreadRow row = new() { Tid = pid, Pid = pid, StartNanoseconds = pid, ProcessStartNanoseconds = pid, Name = $"p{pid}" };
            _threads.Add(into.ThreadTable.Add(in row));
        }

        _starting.Clear();
        ref CpuSample cpu = ref into.Cpus.Add();
        cpu.BusyNanoseconds = RunNanoseconds * _threads.Count;
        cpu.KiloHertz = Unobserved.Value;
        foreach (int row in _threads)
        {
            ref ThreadSample thread = ref into.Threads.Add();
            thread.Row = row;
            thread.FirstRun = into.Runs.Count;
            thread.RunCount = 1;
            thread.Instructions = thread.Cycles = thread.LlcMisses = Unobserved.Value;
            ref RunSample run = ref into.Runs.Add();
            run.Nanoseconds = RunNanoseconds;
            run.KiloCycles = Unobserved.Value;
        }

        foreach (int pid in _ending)
        {
            int row = _threads.First(thread => into.ThreadTable[thread].Pid == pid);
            into.ThreadTable.End(row);
            _ = _threads.Remove(row);
        }

        _ending.Clear();
    }

    public void Sample(Observation observation)
    {
        Calls.Add("meters");
        Clock.Advance(TimeSpan.FromMilliseconds(5));
        observation.Meters = Meters;
        ref MeterSample sample = ref observation.MeterSamples.Add();
        sample.Microjoules = Microjoules;
        sample.Milliwatts = Unobserved.Value;
        sample.ReadNanoseconds = observation.EndNanoseconds;
        Given += observation.Tick > 0 ? Microjoules : 0;
    }

    public void Resolve(Observation observation)
    {
        Calls.Add("workloads");
        Clock.Advance(TimeSpan.FromMilliseconds(7));
        foreach (ref ThreadRow thread in observation.ThreadTable.Rows)
        {
            if (thread.Tid != 0 && thread.Process < 0)
            {
                thread.Process = observation.ProcessTable.FindOrAdd(thread.Pid, thread.ProcessStartNanoseconds, thread.Name, thread.Kernel);
                observation.ProcessTable[thread.Process].LiveThreads++;
            }
        }

        foreach (int row in observation.ThreadTable.Ended)
        {
            ref ProcessRow process = ref observation.ProcessTable[observation.ThreadTable[row].Process];
            process.LiveThreads--;
            process.Ended = process.LiveThreads == 0;
        }
    }

    public void Forget(int process) => Forgotten.Add(process);

    private static readonly System.Collections.Immutable.ImmutableArray<Meter> Meters =
    [
        new Meter { Id = "package-0", Domain = EnergyDomain.Package, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true },
    ];
}
