using System.Collections.Immutable;
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
public sealed partial class MeterSet : IDisposable
{
    /// <summary>A polled meter that has said nothing for so long is stale: a device that hangs does not keep its last word.</summary>
    private const long SilenceNanoseconds = 30_000_000_000;

    /// <summary>Every source there is; a new one is a line here and a folder of its own.</summary>
    private static readonly ImmutableArray<Func<PowerEnvironment, IEnergySource>> Finders =
        [RaplSource.Discover, PerfPowerSource.Discover, HwmonSource.Discover, EstimateSource.Discover];

    private readonly Lock _gate = new();
    private readonly ILogger _logger;
    private readonly MonotonicClock _clock;
    private readonly TopologyReader _topologyReader;
    private readonly ImmutableArray<SourceSlot> _slots;
    private readonly ImmutableArray<SourceMeter> _found;
    private readonly ImmutableArray<MeterRecord> _records;
    private readonly ImmutableArray<MeterProblem> _silent;
    private readonly ImmutableArray<string> _ids;
    private readonly MeterProblem?[] _unhealthy;
    private ImmutableArray<Meter> _meters;
    private HostTopology _topology;
    private bool _reselect;

    private MeterSet(
        ImmutableArray<IEnergySource> sources, CpuIdentity cpu, HostTopology topology, TopologyReader topologyReader, MonotonicClock clock, ILogger logger)
    {
        _logger = logger;
        _clock = clock;
        _topology = topology;
        _topologyReader = topologyReader;
        Cpu = cpu;
        Sources = sources;
        _found = [.. sources.SelectMany(source => source.Meters)];
        _records = [.. _found.Select(found => new MeterRecord(found))];
        _silent = [.. _found.Select(found => new MeterProblem(
            Absence.Stale, $"{found.Where} has not answered for {SilenceNanoseconds / 1_000_000_000} s", "see whether the device hangs"))];
        _ids = MeterSelection.NameAll(_found);
        _unhealthy = new MeterProblem?[_found.Length];
        List<SourceSlot> slots = [];
        int first = 0;
        foreach (IEnergySource source in sources)
        {
            slots.Add(new SourceSlot(source, first, clock.Nanoseconds));
            first += source.Meters.Length;
        }

        _slots = [.. slots];
        _meters = Choose();
        LogStart();
    }

    /// <summary>What the CPUs say they are.</summary>
    public CpuIdentity Cpu { get; }

    /// <summary>The sources, those that found nothing included.</summary>
    public ImmutableArray<IEnergySource> Sources { get; }

    /// <summary>
    /// The meters, in an order that never changes. A new array when a meter takes over from another: then
    /// <see cref="Meter.Selected"/> differs (and a gauge's quality: derived while it is selected), and nothing else.
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
        IEnumerable<IEnergySource> sources = Finders.Select(find => find(environment));
        return new MeterSet([.. sources], cpu, topology, reader, clock, logger);
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
        observation.Meters = Meters;
        ReadContext context = new(observation.StartNanoseconds, observation.EndNanoseconds, observation.Topology, observation.Cpus.Items);
        foreach (SourceSlot slot in _slots)
        {
            if (slot.Source.Tier is MeterTier.Fast)
            {
                Array.Clear(slot.Reports);
                slot.Source.Read(in context, slot.Reports);
            }
        }

        lock (_gate)
        {
            foreach (SourceSlot slot in _slots)
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

    /// <summary>Looks again which CPUs are online; call it at the heartbeat.</summary>
    /// <returns>Whether they changed, and <see cref="Topology"/> with them.</returns>
    public bool RefreshTopology()
    {
        HostTopology before = Volatile.Read(ref _topology);
        HostTopology now = _topologyReader.Read(Cpu);
        if (now.Topology.Cpus.SequenceEqual(before.Topology.Cpus) && now.Problem?.What == before.Problem?.What)
        {
            return false;
        }

        Volatile.Write(ref _topology, now);
        Log.CpusChanged(_logger, before.Topology.Cpus.Length, now.Topology.Cpus.Length);
        if (now.Problem is { } problem)
        {
            Log.CpusUnknown(_logger, problem);
        }

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
                sample.Microjoules = report.Outcome is MeterOutcome.Energy ? report.Microjoules : Unobserved.Value;
                sample.Milliwatts = report.Outcome is MeterOutcome.Power ? report.Milliwatts : Unobserved.Value;
                sample.ReadNanoseconds = report.ReadNanoseconds;
                sample.Unattributable = report.Unattributable;
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

        if (record.Problem is { } problem)
        {
            Log.MeterFailed(_logger, _ids[index], problem);
        }
        else
        {
            Log.MeterRecovered(_logger, _ids[index]);
        }
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
                Log.MeterSelected(_logger, _ids[i], _meters[i].Origin, _meters[i].Quality);
            }
            else
            {
                Log.MeterDeselected(_logger, _ids[i], _meters[i].NotSelectedBecause!);
            }
        }
    }

    private void LogStart()
    {
        if (_topology.Problem is { } problem)
        {
            Log.CpusUnknown(_logger, problem);
        }

        for (int i = 0; i < _meters.Length; i++)
        {
            if (_meters[i].Selected)
            {
                Log.MeterSelected(_logger, _ids[i], _meters[i].Origin, _meters[i].Quality);
            }
            else if (_found[i].Problem is { } fault)
            {
                Log.MeterFailed(_logger, _ids[i], fault);
            }
        }

        if (!_meters.Any(meter => meter.Selected))
        {
            Log.NoMeter(_logger);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, Level = LogLevel.Information, Message = "Meter {Meter} is attributed (origin {Origin}, quality {Quality})")]
        internal static partial void MeterSelected(ILogger logger, string meter, EnergyOrigin origin, ReadingQuality quality);

        [LoggerMessage(EventId = 1002, Level = LogLevel.Warning, Message = "Meter {Meter} is no longer attributed: {Because}")]
        internal static partial void MeterDeselected(ILogger logger, string meter, string because);

        [LoggerMessage(EventId = 1003, Level = LogLevel.Warning, Message = "Meter {Meter} has no value: {Problem}")]
        internal static partial void MeterFailed(ILogger logger, string meter, MeterProblem problem);

        [LoggerMessage(EventId = 1004, Level = LogLevel.Information, Message = "Meter {Meter} has values again")]
        internal static partial void MeterRecovered(ILogger logger, string meter);

        [LoggerMessage(EventId = 1005, Level = LogLevel.Warning, Message = "CPUs online changed from {Before} to {Now} or moved")]
        internal static partial void CpusChanged(ILogger logger, int before, int now);

        [LoggerMessage(EventId = 1006, Level = LogLevel.Warning, Message = "The CPUs' description has a fault: {Problem}")]
        internal static partial void CpusUnknown(ILogger logger, MeterProblem problem);

        [LoggerMessage(EventId = 1007, Level = LogLevel.Error, Message = "No meter has a value: no energy can be attributed; `keck-host doctor` says what would help")]
        internal static partial void NoMeter(ILogger logger);
    }
}
