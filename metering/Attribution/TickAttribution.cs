using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>
/// Who owns one tick's energy. Per selected meter: Σ processes + system + unattributed + idle = the meter, to the microjoule,
/// under each policy. Filled again each tick.
/// </summary>
public sealed class TickAttribution
{
    private readonly Column<long> _active = new();
    private readonly Column<long> _proportional = new();
    private readonly Column<long> _allocated = new();
    private readonly Column<BoundSample> _bounds = new();
    private readonly Column<long> _seenIn = new();
    private long _generation;

    /// <summary>The tick.</summary>
    public long Tick { get; private set; }

    /// <summary>The model that was used.</summary>
    public ModelKind Model { get; internal set; }

    /// <summary>What there was to choose the model by; null where nothing ran.</summary>
    public DataCoverage? Coverage { get; internal set; }

    /// <summary>The selected meters, the order of the <c>meter</c> arguments below.</summary>
    public ImmutableArray<Meter> Meters { get; private set; } = [];

    /// <summary>Whole-meter figures, one for each of <see cref="Meters"/>.</summary>
    public Column<MeterShares> Shares { get; } = new();

    /// <summary>Process rows that own energy in this tick, each once.</summary>
    public Column<int> Processes { get; } = new();

    /// <summary>For each run of the observation, its part of all meters that follow runs, µJ.</summary>
    public Column<long> RunMicrojoules { get; } = new();

    /// <summary>
    /// For each run of the observation, the part of <see cref="RunMicrojoules"/> that comes from meters of the whole machine, µJ; empty
    /// where no such meter was read.
    /// </summary>
    public Column<long> WholeRunMicrojoules { get; } = new();

    /// <summary>For each CPU sample of the observation: energy of its interrupt time, µJ.</summary>
    public Column<long> InterruptMicrojoules { get; } = new();

    /// <summary>For each CPU sample of the observation: energy of its lost time, µJ.</summary>
    public Column<long> LostMicrojoules { get; } = new();

    /// <summary>Energy of meters that follow runs whose CPU is not known: earlier ticks of a slow meter, agent downtime.</summary>
    public Column<OffCoreShare> OffCore { get; } = new();

    /// <summary>What the attribution has come to take as known in this tick; mostly empty.</summary>
    public Column<Adoption> Adoptions { get; } = new();

    /// <summary>A process's active energy on one meter, µJ.</summary>
    public long Active(int process, int meter) => _active[(process * Meters.Length) + meter];

    /// <summary>A process's part of the static energy under <see cref="IdlePolicy.Proportional"/>, µJ.</summary>
    public long Proportional(int process, int meter) => _proportional[(process * Meters.Length) + meter];

    /// <summary>A machine's part of the static energy under <see cref="IdlePolicy.Allocated"/>, µJ.</summary>
    public long Allocated(int machine, int meter) => _allocated[(machine * Meters.Length) + meter];

    /// <summary>A process's active energy on each of <see cref="Meters"/>, µJ.</summary>
    internal ReadOnlySpan<long> Active(int process) => _active.Items.Slice(process * Meters.Length, Meters.Length);

    /// <summary>A process's part of the static energy on each of <see cref="Meters"/>, µJ.</summary>
    internal ReadOnlySpan<long> Proportional(int process) => _proportional.Items.Slice(process * Meters.Length, Meters.Length);

    /// <summary>95 % bounds of a process's active energy over all meters.</summary>
    public ref readonly BoundSample Bounds(int process) => ref _bounds[process];

    internal void Begin(Observation observation, ImmutableArray<Meter> selected)
    {
        int processLimit = observation.ProcessTable.Rows.Length;
        Tick = observation.Tick;
        _generation++;
        if (Meters != selected)
        {
            // Rows are laid out by meter: a new set of meters is a new layout.
            Meters = selected;
            _active.Clear();
            _proportional.Clear();
            _seenIn.Clear();
        }

        Shares.Clear();
        Shares.Resize(selected.Length);
        Processes.Clear();
        OffCore.Clear();
        Adoptions.Clear();
        _active.Resize(processLimit * selected.Length);
        _proportional.Resize(processLimit * selected.Length);
        _bounds.Resize(processLimit);
        _seenIn.Resize(processLimit);
        Restart(_allocated, observation.Machines.Limit * selected.Length);
        WholeRunMicrojoules.Clear();
        Restart(RunMicrojoules, observation.Runs.Count);
        Restart(InterruptMicrojoules, observation.Cpus.Count);
        Restart(LostMicrojoules, observation.Cpus.Count);
    }

    /// <summary>Adds what a process owns of one meter.</summary>
    internal void Book(int process, int meter, long active, long proportional, in BoundSample bounds)
    {
        Touch(process);
        int at = (process * Meters.Length) + meter;
        _active[at] = active;
        _proportional[at] = proportional;
        _bounds[process].Add(bounds);
    }

    /// <summary>Adds a part of the static energy to what a process has.</summary>
    internal void AddProportional(int process, int meter, long microjoules) => _proportional[(process * Meters.Length) + meter] += microjoules;

    /// <summary>Gives a machine a part of the static energy.</summary>
    internal void Allocate(int machine, int meter, long microjoules) => _allocated[(machine * Meters.Length) + meter] = microjoules;

    private void Touch(int process)
    {
        if (_seenIn[process] == _generation)
        {
            return;
        }

        _seenIn[process] = _generation;
        Processes.Add() = process;
        _active.Items.Slice(process * Meters.Length, Meters.Length).Clear();
        _proportional.Items.Slice(process * Meters.Length, Meters.Length).Clear();
        _bounds[process] = default;
    }

    private static void Restart(Column<long> column, int count)
    {
        column.Clear();
        column.Resize(count);
    }
}
