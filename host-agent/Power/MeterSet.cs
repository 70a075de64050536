using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Keck.Metering;
using Keck.Power.Interop;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Power;

/// <summary>
/// Every meter of the machine: finds the sources, decides which meters are attributed, reads them, and keeps what
/// <c>/api/v1/meters</c> shows. <see cref="Sample"/> belongs to the tick loop's thread, <see cref="Poll"/> to one thread per
/// slower source; the rest may be called from anywhere.
/// </summary>
public sealed class MeterSet : IDisposable
{
    /// <summary>A polled meter that has said nothing for so long is stale: a device that hangs does not keep its last word.</summary>
    private const long SilenceNanoseconds = 30_000_000_000;

    private readonly Lock _gate = new();
    private readonly MeterLog _log;
    private readonly MonotonicClock _clock;
    private readonly TopologyReader _topologyReader;
    private readonly PowerEnvironment _environment;
    private ImmutableArray<SourceSlot> _slots = [];
    private ImmutableArray<SourceMeter> _found = [];
    private ImmutableArray<MeterRecord> _records = [];
    private ImmutableArray<MeterProblem> _silent = [];
    private ImmutableArray<string> _ids = [];
    private MeterProblem?[] _unhealthy = [];
    private MeterBacklog _backlog = new([]);
    private ImmutableArray<Meter> _meters = [];
    private HostTopology _topology;
    private bool _reselect;

    // CPUs that ran and were not known, each asked for once.
    private readonly HashSet<int> _askedFor = [];

    private MeterSet(ImmutableArray<IEnergySource> sources, PowerEnvironment environment, TopologyReader topologyReader, ILogger logger)
    {
        _log = new MeterLog(logger);
        _environment = environment;
        _clock = environment.Clock;
        _topology = environment.Topology;
        _topologyReader = topologyReader;
        Add(sources);
        _meters = Choose();
        _log.Start(_meters, _found, _topology.Problem);
    }

    /// <summary>What the CPUs say they are.</summary>
    public CpuIdentity Cpu => _environment.Cpu;

    /// <summary>The sources, those that found nothing included.</summary>
    public ImmutableArray<IEnergySource> Sources { get; private set; } = [];

    /// <summary>
    /// The meters, in an order that never changes; one that appears later comes last. A new array when that happens, or when a
    /// meter takes over from another: then <see cref="Meter.Selected"/> differs (and a gauge's quality: derived while it is
    /// selected), and nothing else.
    /// </summary>
    public ImmutableArray<Meter> Meters
    {
        get
        {
            lock (_gate)
            {
                return _meters;
            }
        }
    }

    /// <summary>The CPUs online at the last look.</summary>
    public Topology Topology => Volatile.Read(ref _topology).Topology;

    /// <summary>What was wrong with the CPUs' description in sysfs at the last look; null where nothing was.</summary>
    public MeterProblem? TopologyProblem => Volatile.Read(ref _topology).Problem;

    /// <summary>Finds what this machine has.</summary>
    public static MeterSet Discover(PowerOptions options, TimeProvider time, ILogger? logger = null) =>
        Discover(options, time, logger ?? NullLogger.Instance, new SystemFiles(), new PerfCounters());

    /// <summary>Finds what a tree and a fake kernel have.</summary>
    internal static MeterSet Discover(PowerOptions options, TimeProvider time, ILogger logger, ISystemFiles files, IPerfCounters perf)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        MonotonicClock clock = new(time);
        TopologyReader reader = new(files, options);
        CpuIdentity cpu = reader.ReadIdentity();
        HostTopology topology = reader.Read(cpu);
        PowerEnvironment environment = new(options, files, perf, clock, topology, cpu);
        return new MeterSet([.. Find(environment)], environment, reader, logger);
    }

    /// <summary>Every source there is; a new one is a line here and a folder of its own.</summary>
    private static IEnumerable<IEnergySource> Find(PowerEnvironment environment)
    {
        yield return RaplSource.Discover(environment);
        yield return PerfPowerSource.Discover(environment);
        yield return HwmonSource.Discover(environment);
        if (environment.Options.Budget is not null)
        {
            yield return BudgetSource.Discover(environment);
        }

        yield return EstimateSource.Discover(environment);
    }

    /// <summary>
    /// Starts the count here: what the fast counters show now is where the first tick begins, and what they counted since they
    /// were found belongs to no tick. Call it right before the first tick.
    /// </summary>
    public void Start()
    {
        long now = _clock.Nanoseconds;
        ReadContext context = new(now, now, Topology, []);
        foreach (SourceSlot slot in _slots)
        {
            if (slot.Source.Tier is MeterTier.Fast)
            {
                Array.Clear(slot.Reports);
                slot.Source.Read(in context, slot.Reports);
            }
        }
    }

    /// <summary>Where the counters stand that go on while nobody reads them; call on the tick loop's thread.</summary>
    public ImmutableArray<CounterMark> Marks()
    {
        ImmutableArray<CounterMark>.Builder marks = ImmutableArray.CreateBuilder<CounterMark>();
        foreach (SourceSlot slot in _slots)
        {
            for (int i = 0; slot.Source is IMarkedSource marked && i < slot.Source.Meters.Length; i++)
            {
                if (marked.Mark(i) is { } mark)
                {
                    marks.Add(new CounterMark(_found[slot.First + i].Where, mark.Microjoules, mark.Nanoseconds));
                }
            }
        }

        return marks.ToImmutable();
    }

    /// <summary>
    /// Counts on from where an earlier run of the agent stood in this boot: the first <see cref="Sample"/> brings what the counters
    /// counted since, unattributable. Call it in place of <see cref="Start"/>.
    /// </summary>
    public void Resume(IEnumerable<CounterMark> marks)
    {
        Start();
        Dictionary<string, CounterMark> byPlace = marks.ToDictionary(mark => mark.Where, StringComparer.Ordinal);
        long now = _clock.Nanoseconds;
        foreach (SourceSlot slot in _slots)
        {
            for (int i = 0; slot.Source is IMarkedSource marked && i < slot.Source.Meters.Length; i++)
            {
                // A mark from the future is of another boot, whatever its file said.
                if (byPlace.TryGetValue(_found[slot.First + i].Where, out CounterMark mark) && mark.Nanoseconds <= now && mark.Microjoules >= 0)
                {
                    marked.Resume(i, mark.Microjoules, mark.Nanoseconds);
                }
            }
        }
    }

    /// <summary>
    /// Ends a tick's meters: reads the fast sources, takes over what the slower ones said since the last tick, and puts both
    /// into the observation. Call it right after the runs were drained; allocates nothing once warm.
    /// </summary>
    public void Sample(Observation observation)
    {
        ArgumentNullException.ThrowIfNull(observation);
        ImmutableArray<SourceSlot> slots;
        lock (_gate)
        {
            (observation.Meters, slots) = (_meters, _slots);
        }

        LookForNewCpus(observation);
        ReadContext context = new(observation.StartNanoseconds, observation.EndNanoseconds, observation.Topology, observation.Cpus.Items);
        foreach (SourceSlot slot in slots)
        {
            if (slot.Source.Tier is MeterTier.Fast)
            {
                Array.Clear(slot.Reports);
                slot.Source.Read(in context, slot.Reports);
            }
        }

        lock (_gate)
        {
            foreach (SourceSlot slot in slots)
            {
                Column<MeterSample> said = slot.Said;
                if (slot.Source.Tier is MeterTier.Fast)
                {
                    Take(slot, observation.MeterSamples);
                    continue;
                }

                foreach (ref readonly MeterSample sample in said.Items)
                {
                    observation.MeterSamples.Add() = sample;
                }

                said.Clear();
                CheckSilence(slot);
            }

            _backlog.EndTick(_meters, _records);
            Reselect();
        }
    }

    /// <summary>Reads a source of a slower tier; its readings go into the next <see cref="Sample"/>. May take as long as the device does.</summary>
    public void Poll(IEnergySource source)
    {
        foreach (SourceSlot slot in _slots)
        {
            if (slot.Source != source)
            {
                continue;
            }

            long now = _clock.Nanoseconds;
            Array.Clear(slot.Reports);
            source.Read(new ReadContext(now, now, Topology, []), slot.Reports);
            lock (_gate)
            {
                slot.AnsweredNanoseconds = _clock.Nanoseconds;
                Take(slot, slot.Said);
            }

            return;
        }

        throw new ArgumentException("not a source of this set", nameof(source));
    }

    /// <summary>Looks again which CPUs are online and whether there are new RAPL zones or counters of a budget; call it at the heartbeat.</summary>
    /// <returns>Whether the CPUs changed, and <see cref="Topology"/> with them.</returns>
    public bool RefreshTopology()
    {
        bool changed = RefreshCpus();
        PowerEnvironment now = _environment with { Topology = Volatile.Read(ref _topology) };
        AddLate(RaplSource.Discover, now);
        AddLate(BudgetSource.Discover, now);
        return changed;
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The set owns its sources and disposes them; one that found nothing holds nothing.")]
    private void AddLate(Func<PowerEnvironment, ImmutableArray<SourceMeter>, IEnergySource> find, PowerEnvironment environment)
    {
        IEnergySource late = find(environment, _found);
        if (late.Meters.IsEmpty)
        {
            return;
        }

        lock (_gate)
        {
            Add([late]);
            _meters = [.. _meters, .. late.Meters.Select((found, i) => found.Meter with
            {
                Id = _ids[_meters.Length + i],
                NotSelectedBecause = "it has just been found",
            })];
            _reselect = true;
        }
    }

    // A CPU that came since the last heartbeat has run already: what it did belongs to its package.
    private void LookForNewCpus(Observation observation)
    {
        bool news = false;
        foreach (ref readonly CpuSample cpu in observation.Cpus.Items)
        {
            news |= observation.Topology.Package(cpu.Cpu) < 0 && _askedFor.Add(cpu.Cpu);
        }

        if (news && RefreshCpus())
        {
            observation.Topology = Topology;
        }
    }

    private bool RefreshCpus()
    {
        HostTopology before = Volatile.Read(ref _topology);
        HostTopology now = _topologyReader.Read(Cpu);
        now = now with { Topology = now.Topology.Remembering(before.Topology) };
        if (now.Topology.Cpus.SequenceEqual(before.Topology.Cpus) && now.Problem?.What == before.Problem?.What)
        {
            return false;
        }

        Volatile.Write(ref _topology, now);
        _log.Cpus(before.Topology.Cpus.Length, now.Topology.Cpus.Length, now.Problem);
        return true;
    }

    /// <summary>Every meter with its last reading, for <c>/api/v1/meters</c>.</summary>
    public ImmutableArray<MeterState> States()
    {
        long now = _clock.Nanoseconds;
        lock (_gate)
        {
            ImmutableArray<MeterState>.Builder states = ImmutableArray.CreateBuilder<MeterState>(_records.Length);
            foreach (SourceSlot slot in _slots)
            {
                for (int i = 0; i < slot.Source.Meters.Length; i++)
                {
                    int index = slot.First + i;
                    MeterRecord record = _records[index];
                    states.Add(new MeterState
                    {
                        Meter = _meters[index],
                        Source = slot.Source.Name,
                        Where = _found[index].Where,
                        Total = record.ReadNanoseconds is null || _found[index].Gauge ? null : new Microjoules(record.Total),
                        Milliwatts = record.Milliwatts,
                        Age = record.ReadNanoseconds is { } read ? new MonotonicSpan(now - read) : null,
                        Problem = record.Problem,
                        Counts = record.Counts,
                    });
                }
            }

            return states.MoveToImmutable();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IEnergySource source in Sources)
        {
            source.Dispose();
        }
    }

    private void Add(ImmutableArray<IEnergySource> sources)
    {
        ImmutableArray<SourceMeter> found = [.. sources.SelectMany(source => source.Meters)];
        ImmutableArray<SourceSlot>.Builder slots = _slots.ToBuilder();
        int first = _found.Length;
        foreach (IEnergySource source in sources)
        {
            slots.Add(new SourceSlot(source, first, _clock.Nanoseconds));
            first += source.Meters.Length;
        }

        Sources = [.. Sources, .. sources];
        _slots = slots.ToImmutable();
        _ids = [.. _ids, .. MeterSelection.NameAll(found, _ids)];
        _found = [.. _found, .. found];
        _records = [.. _records, .. found.Select(meter => new MeterRecord(meter))];
        _silent = [.. _silent, .. found.Select(meter => new MeterProblem(
            Absence.Stale, $"{meter.Where} has not answered for {SilenceNanoseconds / 1_000_000_000} s", "see whether the device hangs"))];
        _unhealthy = new MeterProblem?[_found.Length];
        _backlog = new MeterBacklog(_found, _backlog);
    }

    /// <summary>Counts a source's reports, says what changed, and appends their samples.</summary>
    private void Take(SourceSlot slot, Column<MeterSample> samples)
    {
        for (int i = 0; i < slot.Reports.Length; i++)
        {
            ref MeterReport report = ref slot.Reports[i];
            int index = slot.First + i;
            Apply(index, in report);
            if (report.Outcome is MeterOutcome.Energy or MeterOutcome.Power)
            {
                ref MeterSample sample = ref samples.Add();
                sample.Meter = index;
                long due = report.Outcome is MeterOutcome.Energy ? _backlog.Take(index) : 0;
                sample.Microjoules = report.Outcome is MeterOutcome.Energy ? report.Microjoules + due : Unobserved.Value;
                sample.Milliwatts = report.Outcome is MeterOutcome.Power ? report.Milliwatts : Unobserved.Value;
                sample.ReadNanoseconds = report.ReadNanoseconds;
                sample.Unattributable = report.Unattributable || due > 0;
                (sample.Below, sample.Above) = (report.Below, report.Above);
            }
        }
    }

    private void Apply(int index, in MeterReport report)
    {
        MeterRecord record = _records[index];
        MeterProblem? before = record.Problem;
        _reselect |= record.Apply(in report);
        if (record.Problem == before)
        {
            return;
        }

        _log.Change(_ids[index], before, record.Problem);
    }

    private void CheckSilence(SourceSlot slot)
    {
        if (_clock.Nanoseconds - slot.AnsweredNanoseconds < SilenceNanoseconds)
        {
            return;
        }

        slot.AnsweredNanoseconds = _clock.Nanoseconds;
        for (int i = 0; i < slot.Reports.Length; i++)
        {
            // Three times, since a single doubtful reading switches nothing and this one is not doubtful.
            MeterReport report = default;
            report.SetAbsent(_silent[slot.First + i], slot.AnsweredNanoseconds);
            Apply(slot.First + i, in report);
            Apply(slot.First + i, in report);
            Apply(slot.First + i, in report);
        }
    }

    private ImmutableArray<Meter> Choose()
    {
        for (int i = 0; i < _records.Length; i++)
        {
            _unhealthy[i] = _records[i].Unhealthy;
        }

        return MeterSelection.Choose(_found, _unhealthy, _ids);
    }

    private void Reselect()
    {
        if (!_reselect)
        {
            return;
        }

        _reselect = false;
        ImmutableArray<Meter> before = _meters;
        _meters = Choose();
        for (int i = 0; i < _meters.Length; i++)
        {
            if (_meters[i].Selected == before[i].Selected)
            {
                continue;
            }

            _records[i].Counts = _records[i].Counts with { Switches = _records[i].Counts.Switches + 1 };
            if (_meters[i].Selected)
            {
                _backlog.Select(i, before, _records);
                _log.Selected(_meters[i]);
            }
            else if (_records[i].Unhealthy is null)
            {
                // One without a value has been said already.
                _log.Deselected(_meters[i]);
            }
        }
    }
}
