using System.Collections.Immutable;
using System.Text.Json;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// One tick after another along the data path: runs → meters → workloads → attribution → ledger → outlets.
/// <see cref="Tick"/> belongs to one thread at a time; everything else may be called from anywhere.
/// </summary>
public sealed class MeteringEngine
{
    private static readonly ImmutableArray<string> PhaseNames = ["drain", "meters", "workloads", "attribute", "ledger", "outlets"];

    private readonly IRunSource _runs;
    private readonly IMeterFeed _meters;
    private readonly IWorkloads _workloads;
    private readonly Attributor _attributor;
    private readonly EnergyLedger _ledger;
    private readonly TimeProvider _time;
    private readonly EndedProcesses _ended;
    private readonly Observation _observation = new();
    private readonly long[] _phases = new long[PhaseNames.Length];
    private readonly Lock _tickGate = new();
    private ImmutableArray<ITickOutlet> _outlets = [];
    private long _tick;
    private bool _primed;
    private long _seenByReaders;

    /// <summary>Wires one engine.</summary>
    public MeteringEngine(
        IRunSource runs, IMeterFeed meters, IWorkloads workloads, Attributor attributor, EnergyLedger ledger, EngineOptions options, TimeProvider time)
    {
        _runs = runs;
        _meters = meters;
        _workloads = workloads;
        _attributor = attributor;
        _ledger = ledger;
        _time = time;
        _ended = new EndedProcesses(options);
    }

    /// <summary>Ticks attributed so far.</summary>
    public long Ticks => Interlocked.Read(ref _tick);

    /// <summary>Ended processes let go before every outlet had seen them, because there were too many.</summary>
    public long DroppedEnded => _ended.Dropped;

    /// <summary><see cref="EngineOptions.EndedProcessLimit"/>, which follows the profile while running; it counts from the next tick on.</summary>
    public int EndedProcessLimit
    {
        get => _ended.Limit;
        set => _ended.Limit = value;
    }

    /// <inheritdoc cref="Attributor.HeldWithoutOwner"/>
    public long HeldWithoutOwner => _attributor.HeldWithoutOwner;

    /// <summary>The attribution's settings.</summary>
    public AttributionOptions Attribution => _attributor.Options;

    /// <summary>The phases of the last tick and how long each took.</summary>
    public ImmutableArray<TickPhase> Phases =>
        [.. PhaseNames.Select((name, i) => new TickPhase(name, Volatile.Read(ref _phases[i])))];

    /// <summary>The ledger at the end of the last tick.</summary>
    public LedgerSnapshot Ledger()
    {
        // The snapshot names processes from the tables that a tick changes: it is taken between ticks.
        lock (_tickGate)
        {
            return _ledger.Snapshot();
        }
    }

    /// <summary>Reads a machine's account; false where it has none.</summary>
    public bool ReadMachine(string uuid, IdlePolicy policy, MachineFigures into) => _ledger.ReadMachine(uuid, policy, into);

    /// <summary>The ledger's epoch.</summary>
    public Guid Epoch => _ledger.Epoch;

    /// <summary>Tells that an outlet which must not miss anybody (a scrape, a report) has shown this snapshot: who had ended by then may go.</summary>
    public void MarkSeen(LedgerSnapshot snapshot) => Interlocked.Exchange(ref _seenByReaders, snapshot.EndNanoseconds);

    /// <summary>The live threads of a process.</summary>
    public ImmutableArray<ThreadTotals> Threads(int pid)
    {
        lock (_tickGate)
        {
            return _ledger.Threads(pid);
        }
    }

    /// <summary>The static floors as of the last tick.</summary>
    public ImmutableArray<FloorFigure> Floors()
    {
        lock (_tickGate)
        {
            return _attributor.FloorFigures;
        }
    }

    /// <summary>Adds an outlet; <paramref name="start"/> runs between two ticks and sees the state from which the next one goes on.</summary>
    public void Attach(ITickOutlet outlet, Action<Observation, Attributor>? start = null)
    {
        lock (_tickGate)
        {
            start?.Invoke(_observation, _attributor);
            _outlets = _outlets.Add(outlet);
        }
    }

    /// <summary>Removes an outlet; when it returns, no tick is being shown to it.</summary>
    public void Detach(ITickOutlet outlet)
    {
        lock (_tickGate)
        {
            _outlets = _outlets.Remove(outlet);
        }
    }

    /// <summary>
    /// Runs one tick up to now. The first call only sets the starting point: what was counted before it has no tick, but for energy
    /// that meters resumed from an earlier run, which nobody can be charged for.
    /// </summary>
    public void Tick()
    {
        lock (_tickGate)
        {
            BeginTick();
            EndTick();
        }
    }

    /// <summary>Ends a tick's runs: drains them now. Its energy may come later, with <see cref="EndTick"/>.</summary>
    public void BeginTick()
    {
        lock (_tickGate)
        {
            long started = _time.GetTimestamp();
            _observation.Topology = _meters.Topology;
            _observation.Begin(_primed ? _tick + 1 : 0, _observation.EndNanoseconds);
            _runs.Drain(_observation);
            foreach (ITickOutlet outlet in _outlets)
            {
                outlet.OnDrained(_observation);
            }

            _ = Mark(0, started);
        }
    }

    /// <summary>Attributes the energy of the tick that <see cref="BeginTick"/> began, and books it.</summary>
    public void EndTick()
    {
        lock (_tickGate)
        {
            long started = _time.GetTimestamp();
            _meters.Sample(_observation);
            started = Mark(1, started);
            _workloads.Resolve(_observation);
            started = Mark(2, started);
            if (!_primed)
            {
                _primed = true;
                if (!KeepUnattributable())
                {
                    return;
                }
            }

            TickAttribution attribution = _attributor.Attribute(_observation);
            started = Mark(3, started);
            _ledger.Apply(_observation, attribution);
            started = Mark(4, started);
            foreach (ITickOutlet outlet in _outlets)
            {
                outlet.OnTick(_observation, attribution);
            }

            LetGo();
            _ = Mark(5, started);
            if (_observation.Tick > 0)
            {
                _ = Interlocked.Increment(ref _tick);
            }
        }
    }

    /// <summary>Writes the ledger and what the attribution has learned into an object that is open, as of the end of the last tick.</summary>
    public void WriteState(Utf8JsonWriter json)
    {
        lock (_tickGate)
        {
            LedgerState.Write(_ledger, _attributor, json);
        }
    }

    // The starting point has runs of which nothing is known; only energy from before it counts, if any.
    private bool KeepUnattributable()
    {
        Column<MeterSample> samples = _observation.MeterSamples;
        int kept = 0;
        for (int i = 0; i < samples.Count; i++)
        {
            if (samples[i].Unattributable)
            {
                samples[kept++] = samples[i];
            }
        }

        samples.Resize(kept);
        _observation.Threads.Clear();
        _observation.Runs.Clear();
        _observation.Cpus.Clear();
        return kept > 0;
    }

    private void LetGo()
    {
        _ended.Collect(_observation.ProcessTable, _observation.EndNanoseconds);
        while (_ended.TryLetGo(_observation.EndNanoseconds, Interlocked.Read(ref _seenByReaders), _observation.ProcessTable, out int process))
        {
            _ledger.Depart(process);
            _workloads.Forget(process);
            _observation.ProcessTable.Release(process);
        }
    }

    private long Mark(int phase, long since)
    {
        long now = _time.GetTimestamp();
        Volatile.Write(ref _phases[phase], (long)_time.GetElapsedTime(since, now).TotalNanoseconds);
        return now;
    }
}
