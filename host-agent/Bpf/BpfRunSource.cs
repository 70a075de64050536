using Keck.Bpf.Frequency;
using Keck.Bpf.Interop;
using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Bpf;

/// <summary>
/// In-kernel accounting: every thread's time per CPU as the scheduler itself counts it, the running slice included.
/// Detaches when disposed. One thread at a time.
/// </summary>
public sealed partial class BpfRunSource : IRunSource, IDisposable
{
    private const long StatInterval = 1_000_000_000; // /proc/stat costs more than a drain on large machines.

    private readonly AccountingMemory _memory;
    private readonly SlotDrain _drain;
    private readonly FrequencySource _frequency;
    private readonly ProcStat _stat;
    private readonly OnlineCpus _online;
    private readonly Topology _topology;
    private readonly bool _tracepoint;
    private readonly CounterTurns _turns;
    private readonly ILogger _logger;
    private bool _stealWasKnown = true;
    private long _lastDrain;
    private long _lastStat;

    private BpfRunSource(BpfProgram program, BpfOptions options, ILogger logger)
    {
        _memory = program;
        _logger = logger;
        MapBytes = program.MapBytes;
        _topology = options.Topology;
        _online = new OnlineCpus(options.SysRoot, program.Cpus.Length);
        _stat = new ProcStat(options.ProcRoot, program.Cpus.Length);
        Span<CpuRecord> cpus = program.Cpus;
        for (int cpu = 0; cpu < cpus.Length; cpu++)
        {
            cpus[cpu].SiblingPlusOne = (ushort)(_topology.Sibling(cpu) + 1);
        }

        _frequency = FrequencySource.Open(options, cpus.Length);
        _tracepoint = _frequency.Origin == FrequencyOrigin.Tracepoint;
        if (_tracepoint)
        {
            // The tracepoint speaks at changes only: begin with what cpufreq says now.
            for (int cpu = 0; cpu < cpus.Length; cpu++)
            {
                cpus[cpu].Megahertz = (uint)(Math.Max(0, CpufreqReader.Current(options.SysRoot, cpu)) / 1000);
            }
        }

        _drain = new SlotDrain(program);
        program.Attach();
        _ = _online.Read();
        for (int cpu = 0; cpu < cpus.Length; cpu++)
        {
            if (_online.Cpus[cpu])
            {
                program.Flush(cpu);
            }
        }

        _turns = new CounterTurns(program);
        ReadStat();
        _lastDrain = _lastStat = _memory.Now();
        _drain.Prime(_online.Cpus, new Observation());
        StartNanoseconds = _lastDrain;
    }

    /// <inheritdoc/>
    public string Name => "ebpf";

    /// <summary>Start of the accounting on CLOCK_MONOTONIC, ns: where the first observation begins.</summary>
    public long StartNanoseconds { get; }

    /// <summary>Kernel memory of the maps, bytes; charged to our memory cgroup.</summary>
    public long MapBytes { get; }

    /// <summary>Where frequencies come from.</summary>
    public FrequencyOrigin Frequency => _frequency.Origin;

    /// <summary>Whether instructions, cycles and misses are counted by thread.</summary>
    public bool Counts => !_memory.Counters.IsEmpty;

    /// <summary>Whether others want the CPUs' counters too, so that what is counted is not known.</summary>
    public bool CountersTaken => _drain.CountersTaken;

    /// <summary>Slots that hold a thread (or the overflow of one) alive or not yet recycled.</summary>
    public int SlotsInUse => _drain.SlotsInUse;

    /// <summary>Slots there are.</summary>
    public int SlotCapacity => _memory.Slots.Length - 1;

    /// <summary>Switches that the program saw, since the start.</summary>
    public long Switches => Sum(static (ref record) => (record.Seq / 2) - record.Flushes);

    /// <summary>Switches that it did not see, by the run queues' own count, as far as noticed; since the start. Their time is accounted all the same.</summary>
    public long MissedSwitches => Sum(static (ref record) => record.Missed);

    /// <summary>Context switches by /proc/stat minus those that the program saw, since the start; refreshed once a second; null where /proc/stat does not tell.</summary>
    public long? UnseenSwitches { get; private set; }

    /// <summary>Whether /proc/stat tells steal time; where not, it is part of <see cref="CpuSample.InterruptNanoseconds"/>.</summary>
    public bool StealKnown => _stat.StealKnown;

    /// <summary>Time of threads that found no slot, ns, since the start.</summary>
    public long LostNanoseconds => Sum(static (ref record) => record.LostNanoseconds);

    /// <summary>How often a slot was wanted and the ring was empty.</summary>
    public long ExhaustedCount => (long)_memory.Globals.Exhausted;

    /// <summary>How often the pid table had no place for a thread.</summary>
    public long PidCollisions => (long)_memory.Globals.Collisions;

    /// <summary>Overflow slots taken: threads on more CPUs within two drains than a slot has entries.</summary>
    public long OverflowCount => (long)_memory.Globals.Overflows;

    /// <summary>Threads whose last switch was missed and whose end their task_struct told.</summary>
    public long LateDeaths => (long)_memory.Globals.LateDeaths;

    /// <summary>Time reported too much of threads that died before it could be taken back, ns.</summary>
    public long OverchargedNanoseconds => _drain.Overcharged;

    /// <summary>Drains of a CPU at which another thread ran than the one on record, and could not be taken up.</summary>
    public long UnconfirmedCuts => _drain.Unconfirmed;

    /// <summary>Time of threads that came and went unseen, ns: lost until one of them brings it home.</summary>
    public long UnplacedNanoseconds => Sum(static (ref record) => (ulong)record.UnplacedNanoseconds);

    /// <summary>Time that was unplaced at the end of a drain and not before, ns, since the start: never falls, also where it was brought home later.</summary>
    public long UnplacedSoFarNanoseconds
    {
        get
        {
            long sum = 0;
            foreach (ref readonly CpuSnapshot cpu in _drain.Cpus)
            {
                sum += cpu.UnplacedSum;
            }

            return sum;
        }
    }

    /// <summary>Time reported as lost so far, ns: of threads without a slot, and unplaced; never falls.</summary>
    public long ReportedLostNanoseconds
    {
        get
        {
            ulong sum = 0;
            foreach (ref readonly CpuSnapshot cpu in _drain.Cpus)
            {
                sum += cpu.LostReported;
            }

            return (long)sum;
        }
    }

    /// <summary>
    /// How far a thread's reports are ahead of its own clock, ns: a slice that was running at a drain and turned out shorter (its CPU
    /// was stolen meanwhile). Taken off its next time.
    /// </summary>
    internal long Ahead(int tid) => _drain.Ahead(tid);

    /// <summary>Per-CPU values of the last drain.</summary>
    internal ReadOnlySpan<CpuSnapshot> LastCpus => _drain.Cpus;

    /// <summary>What the last drain did.</summary>
    public DrainStatistics LastDrain { get; private set; }

    /// <inheritdoc/>
    /// <remarks>
    /// <see cref="Observation.EndNanoseconds"/> is CLOCK_MONOTONIC. The programs' stamps are on rq->clock (sched_clock);
    /// each CPU's record holds the difference of the two, taken anew at every 64th switch, so that a drain can tell how long
    /// a running slice has lasted by then. CPU samples are on rq->clock of their CPU.
    /// </remarks>
    public void Drain(Observation into)
    {
        ArgumentNullException.ThrowIfNull(into);
        _ = _online.Read();
        int flushes = FlushLongSlices();
        int firstRun = into.Runs.Count;
        int firstCpu = into.Cpus.Count;
        long now = _memory.Now();
        if (now - _lastStat >= StatInterval)
        {
            ReadStat();
            LookAtCounters();
            _lastStat = now;
            UnseenSwitches = _stat.SwitchesKnown ? _stat.ContextSwitches - Switches : null;
        }

        _drain.Drain(into, _online.Cpus, _stat.Steal);
        _lastDrain = _memory.Now();
        into.EndNanoseconds = _lastDrain;
        _frequency.Apply(into, firstRun, firstCpu);
        LastDrain = _drain.Statistics with { Flushes = flushes };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory.Dispose();
        _frequency.Dispose();
        _stat.Dispose();
        _online.Dispose();
    }

    /// <summary>Starts; throws <see cref="NativeException"/> where the kernel refuses.</summary>
    internal static BpfRunSource Start(BpfOptions options, ILogger logger)
    {
        bool tracepoint = options.FrequencyTracepoint && FrequencySource.WouldUseTracepoint(options);
        BpfProgram program = BpfProgram.Load(BpfLayout.For(options with { FrequencyTracepoint = tracepoint }));
        try
        {
            return new BpfRunSource(program, options with { FrequencyTracepoint = tracepoint }, logger);
        }
        catch
        {
            program.Dispose();
            throw;
        }
    }

    /// <summary>A thread that has run since before the last drain (a pinned vCPU, an isolated core): the kernel settles it. Idle CPUs are left asleep.</summary>
    private int FlushLongSlices()
    {
        Span<CpuRecord> cpus = _memory.Cpus;
        int flushes = 0;
        for (int cpu = 0; cpu < cpus.Length; cpu++)
        {
            ref CpuRecord record = ref cpus[cpu];
            if (_online.Cpus[cpu] && record.On != 0 && record.Slot != 0 && (long)record.Clock + record.Offset < _lastDrain)
            {
                _memory.Flush(cpu);
                flushes++;
            }
        }

        return flushes;
    }

    private void LookAtCounters()
    {
        _turns.Look();
        if (_turns.Taken != _drain.CountersTaken)
        {
            _drain.CountersTaken = _turns.Taken;
            if (_turns.Taken)
            {
                Log.CountersTaken(_logger);
            }
            else
            {
                Log.CountersBack(_logger);
            }
        }
    }

    private void ReadStat()
    {
        _stat.Read();
        if (_stat.StealKnown != _stealWasKnown)
        {
            _stealWasKnown = _stat.StealKnown;
            if (_stealWasKnown)
            {
                Log.StealKnown(_logger);
            }
            else
            {
                Log.StealUnknown(_logger);
            }
        }
    }

    private delegate ulong Field(ref CpuRecord record);

    private long Sum(Field field)
    {
        ulong sum = 0;
        foreach (ref CpuRecord record in _memory.Cpus)
        {
            sum += field(ref record);
        }

        return (long)sum;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2003, Level = LogLevel.Warning, Message = "/proc/stat does not tell steal time: what a hypervisor takes from this machine's CPUs counts as interrupt time")]
        internal static partial void StealUnknown(ILogger logger);

        [LoggerMessage(EventId = 2005, Level = LogLevel.Warning, Message = "Others use the CPUs' counters too (multiplexed): what is counted is not known, and models go without it")]
        internal static partial void CountersTaken(ILogger logger);

        [LoggerMessage(EventId = 2006, Level = LogLevel.Information, Message = "The CPUs' counters are ours again")]
        internal static partial void CountersBack(ILogger logger);

        [LoggerMessage(EventId = 2004, Level = LogLevel.Information, Message = "/proc/stat tells steal time again")]
        internal static partial void StealKnown(ILogger logger);
    }
}
