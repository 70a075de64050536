using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>
/// Observation × model → who owns the tick's energy. Depends on nothing but the observation and the state it carries
/// (learned floors, gauges held, spans of slow meters), so the same observations give the same result.
/// </summary>
public sealed class Attributor
{
    // What a formula of these kinds is off by, as a fraction of a consumer's energy while others run beside it:
    // the spread over instruction mixes in our simulated hosts (design §5), 95 %.
    private const double ModelSpread = 0.25;
    private const double MemoryModelSpread = 0.5;

    // How far consumers are from the model, as long as nothing is known of them: instruction mixes differ by that much. One standard deviation.
    private const double PriorDeviation = 0.25;
    private const double AdaptiveDeviation = 0.15;
    private const double MemoryDeviation = 0.3;
    private const double HeldMemoryDeviation = 1;

    // How far kinds of work are from the model, and from a profile that has met some of each kind.
    private const double KindDeviation = 0.3;
    private const double MemoryKindDeviation = 0.3;
    private const double ProfiledKindDeviation = 0.1;

    // Programs are further from the model than the loads of a commissioning run: it has met those.
    private const double LeastDeviation = 0.1;

    // Half-widths that hold the truth in 95 of 100 windows of a second on simulated machines (tests/lab), in deviations of what is known of a
    // consumer. They are below 1.96 where the deviations are those of any machine, and above where a formula's own error is in no deviation.
    private const double CalibratedWidth = 0.8;
    private const double UnlearnedWidth = 1.2;
    private const double AdaptiveWidth = 1;
    private const double FormulaWidth = 1.6;

    // What a tick's active energy is off from the sum of what its consumers use at constant factors, relative: one standard deviation.
    private const double ModelNoise = 0.03;
    private const double FloorNoise = 0.03;

    // Memory's energy goes by misses alone only where nearly everybody's are counted: a miss that nobody counted is not zero.
    private const double CountedPartForMisses = 0.9;

    private const int NotGathered = -1;

    // RAPL counters are updated about once a millisecond: a reading is up to that old.
    private const double CounterUpdateNanoseconds = 1e6;

    private readonly AttributionOptions _options;
    private readonly RunWeights _weights;
    private readonly TickAttribution _result = new();

    private readonly MemoryWeights _memory;
    private readonly Signatures? _signatures;
    private readonly Splitter _splitter = new();
    private readonly double[] _shared = new double[Signatures.SharedSlots];

    // Who shares in the meters that follow runs, for the group of meters at hand; and in those of memory.
    private readonly Claimants _runners = new();
    private readonly Claimants _holders = new();

    // What ran in earlier ticks of the slow meter at hand.
    private readonly LeafColumns _earlier = new();
    private MeterZones _zones = new([]);
    private int _gathered = NotGathered;
    private bool _memoryGathered;
    private MemoryTick _memoryTick;
    private ImmutableArray<Meter> _meters = [];
    private ImmutableArray<Meter> _selected = [];
    private int[] _selectedIndex = [];
    private MeterState[] _states = [];

    /// <summary>An attributor that has learned nothing, or that goes on from a trace's initial state.</summary>
    public Attributor(AttributionOptions? options = null, IReadOnlyDictionary<string, StaticFloorState>? floors = null)
    {
        _options = Tuned(options ?? new AttributionOptions());
        _signatures = _options.Signatures
            ? _options.MayCalibrate ? new Signatures(ProfiledKindDeviation, ProfiledKindDeviation) : new Signatures(KindDeviation, MemoryKindDeviation)
            : null;
        _weights = new RunWeights(_options, _signatures);
        _memory = new MemoryWeights(_options, _signatures);
        InitialFloors = floors ?? _options.Profile?.Floors([]) ?? ImmutableSortedDictionary<string, StaticFloorState>.Empty;
    }

    /// <summary>An attributor that goes on exactly where another one stood, as a trace's header carries it.</summary>
    /// <param name="options">What is set.</param>
    /// <param name="state">What the other one carried.</param>
    /// <param name="meters">The meters it carried it for.</param>
    public Attributor(AttributionOptions? options, AttributorState state, ImmutableArray<Meter> meters)
        : this(options, state.Floors)
    {
        UseMeters(meters);
        if (_signatures is not null && state.Signatures is { } learned)
        {
            _signatures.State = learned;
        }

        foreach (MeterState meter in _states)
        {
            if (state.Carries.TryGetValue(meter.Meter.Id, out MeterCarry? carry))
            {
                meter.Carry = carry;
            }
        }
    }

    /// <summary>What is set.</summary>
    public AttributionOptions Options => _options;

    /// <summary>Runs that were held for a slow meter without their owner, because too many owners came by while it was silent: they share in its next reading as <c>unattributed</c>.</summary>
    public long HeldWithoutOwner
    {
        get
        {
            long runs = 0;
            foreach (MeterState state in _states)
            {
                runs += state.Span.Overflowed;
            }

            return runs;
        }
    }

    private IReadOnlyDictionary<string, StaticFloorState> InitialFloors { get; set; }

    /// <summary>The learned floors by meter id, as of the last tick.</summary>
    public ImmutableSortedDictionary<string, StaticFloorState> Floors
    {
        get
        {
            ImmutableSortedDictionary<string, StaticFloorState>.Builder floors = ImmutableSortedDictionary.CreateBuilder<string, StaticFloorState>(StringComparer.Ordinal);
            foreach ((string id, StaticFloorState state) in InitialFloors)
            {
                floors[id] = state;
            }

            for (int i = 0; i < _selected.Length; i++)
            {
                floors[_selected[i].Id] = _states[i].Floor.State;
            }

            return floors.ToImmutable();
        }
    }

    /// <summary>The static floors of the selected meters, to be shown.</summary>
    public ImmutableArray<FloorFigure> FloorFigures => [.. _states.Where(state => state.EverRead).Select(state => FloorFigure.Of(state.Meter.Id, state.Floor))];

    /// <summary>Everything carried to the next tick: with the same observations, an attributor resumed from it gives the same results.</summary>
    public AttributorState State => new(Floors, _states.ToImmutableSortedDictionary(state => state.Meter.Id, state => state.Carry, StringComparer.Ordinal), _signatures?.State);

    /// <summary>Attributes one tick.</summary>
    /// <returns>The result; valid until the next call.</returns>
    public TickAttribution Attribute(Observation observation)
    {
        if (observation.Meters != _meters)
        {
            UseMeters(observation.Meters);
        }

        _result.Begin(observation, _selected);
        _signatures?.Begin(observation);
        _memory.Begin(observation);
        _weights.Build(observation, _zones, _memory);
        (_gathered, _memoryGathered, _memoryTick) = (NotGathered, false, default);
        _result.Model = _weights.Model;
        _result.Coverage = _weights.HasRuns ? new DataCoverage(_weights.FrequencyPart, _weights.CountedPart) : null;
        if (_signatures is not null)
        {
            _signatures.Domain(memory: false).Filter.PriorDeviation =
                _weights.Residual is { } residual ? Profiled(residual) : _weights.Model == ModelKind.Adaptive ? AdaptiveDeviation : PriorDeviation;
            _signatures.Domain(memory: true).Filter.PriorDeviation = _memory.HasMisses ? MemoryDeviation : HeldMemoryDeviation;
        }

        foreach (ref MeterSample sample in observation.MeterSamples.Items)
        {
            int k = _selectedIndex[sample.Meter];
            if (k >= 0)
            {
                _states[k].Take(sample, observation);
            }
        }

        for (int k = 0; k < _selected.Length; k++)
        {
            AttributeMeter(observation, k);
        }

        LearnMemory();

        // A machine's static energy goes by what the other meters say is active.
        for (int k = 0; k < _selected.Length; k++)
        {
            if (_selected[k].Domain == EnergyDomain.Static && _result.Shares[k].Static > 0)
            {
                SplitStatic(k);
            }
        }

        return _result;
    }

    // How far programs are from a profile's model, one standard deviation.
    private static double Profiled(double residual) => Math.Clamp(residual, LeastDeviation, PriorDeviation);

    // What a commissioning run fitted takes the place of the priors.
    private static AttributionOptions Tuned(AttributionOptions options) =>
        options.Profile is { Alpha: { } alpha, Beta: { } beta } ? options with { Alpha = alpha, Beta = beta } : options;

    private void UseMeters(ImmutableArray<Meter> meters)
    {
        ImmutableSortedDictionary<string, StaticFloorState> floors = Floors;
        _meters = meters;
        _selected = [.. meters.Where(meter => meter.Selected)];
        _selectedIndex = [.. meters.Select(meter => _selected.IndexOf(meter))];
        _zones = new MeterZones(_selected.AsSpan());
        Dictionary<string, MeterState> kept = _states.ToDictionary(state => state.Meter.Id);
        _states = [.. _selected.Select(meter => kept.TryGetValue(meter.Id, out MeterState? state) && state.Meter == meter
            ? state
            : new MeterState(meter, floors.TryGetValue(meter.Id, out StaticFloorState floor) ? floor : null, _options.IdlePrior))];
        InitialFloors = floors;
    }

    private void AttributeMeter(Observation observation, int k)
    {
        MeterState state = _states[k];
        Meter meter = state.Meter;
        (double busy, double capacity) = Cover(observation, meter);
        long? energy = state.Energy(observation);
        if (energy is null)
        {
            HoldBack(observation, k, busy, capacity);
            return;
        }

        long total = energy.Value;
        ref MeterShares shares = ref _result.Shares[k];
        shares.Observed = true;
        shares.ReadSkewNanoseconds = Math.Abs(observation.EndNanoseconds - state.ReadNanoseconds);
        shares.Total = total;
        (shares.Below, shares.Above) = state.Doubt;
        if (state.Unattributable)
        {
            shares.UnattributedActive = total;
            shares.UnattributedBounds = DoubtOf(observation, state, shares, observation.Length.Nanoseconds, !meter.Domain.FollowsRuns()).Source(total);
            if (meter.Domain.FollowsRuns() && total > 0)
            {
                AddOffCore(k, Leaf.UnattributedOwner, total);
            }

            // The runs held for this reading are owned with it.
            state.Span.Drop();
            return;
        }

        if (meter.Domain is EnergyDomain.Overhead or EnergyDomain.Static)
        {
            // Nobody ran for these: they have owners of their own.
            state.Span.Drop();
            shares.Overhead = meter.Domain == EnergyDomain.Overhead ? total : 0;
            shares.Static = total - shares.Overhead;
            shares.IdleSeparate = shares.IdleProportional = shares.Static;
            shares.IdleBounds = DoubtOf(observation, state, shares, observation.Length.Nanoseconds, memory: false).Source(shares.Static);
            SplitAllocated(observation, k, byMemory: false);
            return;
        }

        long length = observation.Length.Nanoseconds + state.Span.Nanoseconds;
        shares.Static = state.Floor.Part(total, length, busy + state.Span.Busy, capacity + state.Span.Capacity);
        long active = total - shares.Static;
        if (state.Floor.TakeChange() is { } change)
        {
            _result.Adoptions.Add() = new Adoption(meter.Id, change.Cause, observation.EndNanoseconds, change.Utilisation, change.Before, state.Floor.State);
        }

        bool memory = !meter.Domain.FollowsRuns();
        Claimants claimants = memory ? Holders(observation, state) : Runners(observation, k);
        claimants.Owners.ClearEnergies();
        if (active > 0)
        {
            SplitActive(observation, k, active, claimants, memory);
        }

        SplitProportional(k, claimants.Owners);
        Publish(observation, state, k, length, memory, claimants.Owners);
        SplitAllocated(observation, k, memory);
    }

    // A slow meter was not read: what ran now will share in its next reading. Memory's goes by what is held then.
    private void HoldBack(Observation observation, int k, double busy, double capacity)
    {
        MeterState state = _states[k];
        int group = _zones.GroupOf(k);
        if (!state.EverRead)
        {
            return;
        }

        state.Span.Nanoseconds += observation.Length.Nanoseconds;
        state.Span.Busy += busy;
        state.Span.Capacity += capacity;
        if (group < 0)
        {
            return;
        }

        ReadOnlySpan<double> weights = _weights.Weights(group), times = _weights.Times(group);
        ReadOnlySpan<int> owners = _weights.Owners(group), places = _weights.Places(group);
        for (int i = 0; i < places.Length; i++)
        {
            int cpu = places[i] >= 0 ? observation.Runs[places[i]].Cpu : observation.Cpus[Leaf.OnCpu(places[i])].Cpu;
            state.Span.Add(owners[i], _zones.ZoneOf(observation.Topology, cpu), weights[i], times[i], observation.ProcessTable);
        }
    }

    // Who ran on what the meter covers, in this tick and in those since it was last read.
    private Claimants Runners(Observation observation, int k)
    {
        int group = _zones.GroupOf(k);
        SpanWeights span = _states[k].Span;
        if (_gathered == group && span.Count == 0)
        {
            span.Drop();
            return _runners;
        }

        _earlier.Clear();
        span.MoveTo(_earlier, observation.ProcessTable);
        double sum = _weights.Sum(group);
        foreach (double weight in _earlier.Weights.Items)
        {
            sum += weight;
        }

        ReadOnlySpan<double> weights = _weights.Weights(group);
        Claimants.Filling filling = _runners.Begin(weights.Length + _earlier.Count, sum, observation.ProcessTable.Rows.Length);
        filling.Add(weights, _weights.Plains(group), _weights.Times(group), _weights.Owners(group));
        filling.Add(_earlier.Weights.Items, _earlier.Plains.Items, _earlier.Times.Items, _earlier.Owners.Items);
        _gathered = _earlier.Count == 0 ? group : NotGathered;
        return _runners;
    }

    private Claimants Holders(Observation observation, MeterState state)
    {
        state.Span.Drop();
        if (!_memoryGathered)
        {
            (LeafColumns leaves, double sum) = _memory.Collect(observation, state.Floor.IsKnown && _weights.CountedPart >= CountedPartForMisses);
            _holders.Begin(leaves.Count, sum, observation.ProcessTable.Rows.Length).Add(leaves.Weights.Items, leaves.Plains.Items, leaves.Times.Items, leaves.Owners.Items);
            _memoryGathered = true;
        }

        return _holders;
    }

    private void SplitActive(Observation observation, int k, long active, Claimants claimants, bool memory)
    {
        if (!claimants.Any)
        {
            if (memory)
            {
                // Nothing says who holds the memory: the energy is owned, not guessed.
                int index = claimants.Owners.IndexOf(Leaf.UnattributedOwner);
                claimants.Owners.Items[index].Active += active;
            }

            return;
        }

        if (!_splitter.Split(active, claimants.Claims, claimants.ClaimSum))
        {
            return;
        }

        ReadOnlySpan<long> parts = _splitter.Parts;
        ReadOnlySpan<int> places = memory ? [] : _weights.Places(_zones.GroupOf(k));
        Span<OwnerSum> owners = claimants.Owners.Items;
        ReadOnlySpan<int> ownerOf = claimants.OwnerOf[..parts.Length];
        Span<long> runs = _result.RunMicrojoules.Items;

        // A run's energy on a meter of the whole machine is no part of its package's.
        bool whole = !memory && _selected[k].Package is null && _selected[k].Cpu is null;
        if (whole)
        {
            _result.WholeRunMicrojoules.Resize(runs.Length);
        }

        Span<long> wholeRuns = _result.WholeRunMicrojoules.Items;
        for (int i = 0; i < places.Length; i++)
        {
            ref OwnerSum owner = ref owners[ownerOf[i]];
            long part = parts[i];
            owner.Active += part;
            int place = places[i];
            if (place >= 0)
            {
                runs[place] += part;
                if (whole)
                {
                    wholeRuns[place] += part;
                }
            }
            else if (whole)
            {
                AddOffCore(k, owner.Owner, part, observation.Cpus[Leaf.OnCpu(place)].Cpu);
            }
            else
            {
                (owner.Owner == Leaf.SystemOwner ? _result.InterruptMicrojoules : _result.LostMicrojoules)[Leaf.OnCpu(place)] += part;
            }
        }

        // Memory's leaves have no place, nor have earlier ticks.
        for (int i = places.Length; i < parts.Length; i++)
        {
            ref OwnerSum owner = ref owners[ownerOf[i]];
            owner.Active += parts[i];
            if (!memory && parts[i] > 0)
            {
                AddOffCore(k, owner.Owner, parts[i]);
            }
        }
    }

    private void AddOffCore(int k, int owner, long microjoules, int cpu = -1)
    {
        ref OffCoreShare share = ref _result.OffCore.Add();
        share.Owner = owner;
        share.Package = _selected[k].Package ?? -1;
        share.Cpu = _selected[k].Cpu ?? cpu;
        share.Microjoules = microjoules;
    }

    private void SplitProportional(int k, OwnerSums sums)
    {
        long total = _result.Shares[k].Static;
        if (total == 0 || sums.Count == 0)
        {
            return;
        }

        Span<OwnerSum> owners = sums.Items;
        Span<ulong> claims = _splitter.Claims(owners.Length);
        for (int i = 0; i < owners.Length; i++)
        {
            claims[i] = (ulong)owners[i].Active;
        }

        if (_splitter.Split(total))
        {
            ReadOnlySpan<long> parts = _splitter.Parts;
            for (int i = 0; i < owners.Length; i++)
            {
                owners[i].Proportional = parts[i];
            }
        }
    }

    private void SplitStatic(int k)
    {
        ref MeterShares shares = ref _result.Shares[k];
        int processes = _result.Processes.Count;
        Span<ulong> claims = _splitter.Claims(processes + 2);
        claims.Clear();
        for (int i = 0; i < processes; i++)
        {
            foreach (long active in _result.Active(_result.Processes[i]))
            {
                claims[i] += (ulong)active;
            }
        }

        foreach (ref MeterShares other in _result.Shares.Items)
        {
            claims[processes] += (ulong)other.SystemActive;
            claims[processes + 1] += (ulong)other.UnattributedActive;
        }

        if (!_splitter.Split(shares.Static))
        {
            return;
        }

        ReadOnlySpan<long> parts = _splitter.Parts;
        for (int i = 0; i < processes; i++)
        {
            _result.AddProportional(_result.Processes[i], k, parts[i]);
        }

        (shares.SystemProportional, shares.UnattributedProportional) = (parts[processes], parts[processes + 1]);
        shares.IdleProportional = 0;
    }

    /// <summary>Gives running machines their part of the static energy, by vCPUs or by memory; what no machine is sized for stays idle.</summary>
    private void SplitAllocated(Observation observation, int k, bool byMemory)
    {
        ref MeterShares shares = ref _result.Shares[k];
        shares.IdleAllocated = shares.IdleSeparate;
        IReadOnlyList<int> machines = observation.Machines.InOrder;
        if (shares.Static == 0 || machines.Count == 0)
        {
            return;
        }

        Topology topology = observation.Topology;
        bool memory = byMemory && topology.MemoryKibibytes is not null;
        Span<ulong> claims = _splitter.Claims(machines.Count + 1);
        ulong sized = 0;
        for (int i = 0; i < machines.Count; i++)
        {
            MachineRow machine = observation.Machines[machines[i]];
            claims[i] = !machine.Running ? 0 : (ulong)Math.Max(0, (memory ? machine.MemoryKibibytes : machine.Vcpus) ?? 0);
            sized += claims[i];
        }

        ulong capacity = (ulong)(memory ? topology.MemoryKibibytes!.Value : topology.Cpus.Length);
        claims[machines.Count] = capacity > sized ? capacity - sized : 0;
        if (!_splitter.Split(shares.Static))
        {
            return;
        }

        ReadOnlySpan<long> parts = _splitter.Parts;
        for (int i = 0; i < machines.Count; i++)
        {
            _result.Allocate(machines[i], k, parts[i]);
            shares.IdleAllocated -= parts[i];
        }
    }

    private void Publish(Observation observation, MeterState state, int k, long length, bool memory, OwnerSums sums)
    {
        ref MeterShares shares = ref _result.Shares[k];
        Span<OwnerSum> owners = sums.Items;
        double weights = 0, times = 0;
        long active = 0, proportional = 0;
        foreach (ref OwnerSum owner in owners)
        {
            weights += owner.Weight;
            times += owner.Time;
            active += owner.Active;
            proportional += owner.Proportional;
            if (owner.Owner == Leaf.SystemOwner)
            {
                (shares.SystemActive, shares.SystemProportional) = (owner.Active, owner.Proportional);
            }
            else if (owner.Owner == Leaf.UnattributedOwner)
            {
                (shares.UnattributedActive, shares.UnattributedProportional) = (owner.Active, owner.Proportional);
            }
        }

        shares.IdleSeparate = shares.Total - active;
        shares.IdleProportional = shares.IdleSeparate - proportional;
        MeterDoubt doubt = DoubtOf(observation, state, shares, length, memory);
        shares.IdleBounds = doubt.Idle(shares.Static, shares.IdleSeparate);
        bool learning = _signatures is not null && weights > 0;
        Learn(observation, k, shares, doubt, sums, memory, length == observation.Length.Nanoseconds);
        foreach (ref OwnerSum owner in owners)
        {
            double share = weights > 0 ? owner.Weight / weights : owner.Active / Math.Max(1, doubt.Active);
            double byTime = times > 0 ? owner.Time / times : share;
            if (owner.Owner == Leaf.UnattributedOwner)
            {
                shares.UnattributedBounds = doubt.Bounds(owner.Active, share, byTime, null);
                continue;
            }

            double? deviation = learning ? _signatures!.Deviation(owner.Owner, memory) : !memory && _weights.Residual is { } residual ? Profiled(residual) : null;
            BoundSample bounds = doubt.Bounds(owner.Active, share, byTime, deviation);
            if (owner.Owner >= 0)
            {
                _result.Book(owner.Owner, k, owner.Active, owner.Proportional, bounds);
            }
            else
            {
                shares.SystemBounds = bounds;
            }
        }
    }

    // A reading tells who is heavy where all of it is this tick's, and its static part is known.
    private void Learn(Observation observation, int k, in MeterShares shares, in MeterDoubt doubt, OwnerSums sums, bool memory, bool whole)
    {
        if (_signatures is null)
        {
            return;
        }

        MeterState state = _states[k];
        bool usable = whole && doubt.Active > 0 && state.Floor.IsKnown && state.Meter.Quality != ReadingQuality.Estimated && shares.UnattributedActive * 10 < doubt.Active;
        if (usable && !state.Signed)
        {
            state.Signed = true;
            StaticFloorState now = state.Floor.State;
            _result.Adoptions.Add() = new Adoption(state.Meter.Id, AdoptionCause.Signatures, observation.EndNanoseconds, 0, now, now);
        }

        double model = ModelNoise * doubt.Active, floor = FloorNoise * shares.Static;
        LearningNoise noise = usable ? new LearningNoise(Math.Sqrt((model * model) + (floor * floor)), Math.Sqrt(doubt.RandomSquare) / 1.96) : LearningNoise.Useless;
        if (!memory)
        {
            _weights.Share(_zones, _zones.GroupOf(k), _shared);
            _signatures.Learn(sums, _shared, memory, k, _weights.Model, doubt.Active, noise);
            return;
        }

        // Whose pages lie at which package is not known: what all memory draws is learned from, once, when all of it has been read.
        if (_memoryTick.Meters == 0)
        {
            _memory.Share(_shared);
            _signatures.Learn(sums, _shared, memory, k, ModelKind.CpuTimeRatio, doubt.Active, LearningNoise.Useless);
        }

        _memoryTick.Add(k, doubt.Active, noise);
    }

    private void LearnMemory()
    {
        if (_signatures is null || _memoryTick.Meters == 0 || _memoryTick.Meters < _zones.MemoryMeters || _memoryTick.Noise.IsUseless)
        {
            return;
        }

        _memory.Share(_shared);
        _signatures.Learn(_holders.Owners, _shared, memory: true, _memoryTick.First, ModelKind.CpuTimeRatio, _memoryTick.Active, _memoryTick.Noise);
    }

    private MeterDoubt DoubtOf(Observation observation, MeterState state, in MeterShares shares, long length, bool memory)
    {
        Meter meter = state.Meter;
        double skew = Math.Abs(observation.EndNanoseconds - state.ReadNanoseconds) + (meter.Quality == ReadingQuality.Measured ? CounterUpdateNanoseconds : 0);
        double jitter = shares.Total * skew / (skew + Math.Max(1, length));
        double quantum = (meter.Quantum?.Value ?? 0) / Math.Sqrt(3);
        return new MeterDoubt
        {
            Active = shares.Total - shares.Static,
            LearnedWidth = _weights.Model switch
            {
                ModelKind.Calibrated => _signatures is null ? UnlearnedWidth : CalibratedWidth,
                ModelKind.Adaptive => AdaptiveWidth,
                _ => FormulaWidth,
            },
            Missing = _weights.MissingPart,
            Spread = (memory ? MemoryModelSpread : ModelSpread) + _weights.MissingPart,
            StaticLess = state.Floor.TickMayBeLess * shares.Static,
            StaticMore = state.Floor.TickMayBeMore * shares.Static,
            Unattributed = shares.UnattributedActive,
            SourceBelow = 1 - meter.LowFactor + (state.Doubt.Below / Math.Max(1.0, shares.Total)),
            SourceAbove = meter.HighFactor - 1 + (state.Doubt.Above / Math.Max(1.0, shares.Total)),
            RandomSquare = (jitter * jitter) + (quantum * quantum),
        };
    }

    private static (double Busy, double Capacity) Cover(Observation observation, Meter meter)
    {
        double busy = 0, capacity = 0;
        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            if (MeterZones.Covers(meter, observation.Topology, cpu.Cpu))
            {
                busy += cpu.BusyNanoseconds + cpu.InterruptNanoseconds;
                capacity += observation.Length.Nanoseconds;
            }
        }

        return (busy, capacity);
    }
}
