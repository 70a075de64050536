using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>
/// Observation × model → who owns the tick's energy. Depends on nothing but the observation and the state it carries
/// (learned floors, gauges held, spans of slow meters), so the same observations give the same result.
/// </summary>
public sealed class Attributor
{
    // 2^60: weights are normalised to it, so that their sum fits the fast path of the split.
    private const double WeightScale = 1L << 60;

    // What a formula of these kinds is off by, as a fraction of a consumer's energy while others run beside it:
    // the spread over instruction mixes in our simulated hosts (design §5), 95 %.
    private const double ModelSpread = 0.25;
    private const double MemoryModelSpread = 0.5;

    // RAPL counters are updated about once a millisecond: a reading is up to that old.
    private const double CounterUpdateNanoseconds = 1e6;

    private readonly AttributionOptions _options;
    private readonly RunWeights _weights;
    private readonly TickAttribution _result = new();

    // The leaves that share in the meter at hand: where each lies in its column, its weight, its owner's index.
    private readonly Column<int> _leafOf = new();
    private readonly Column<double> _weightOf = new();
    private readonly Column<int> _ownerOf = new();
    private readonly OwnerSums _owners = new();
    private readonly Column<Leaf> _dropped = new();
    private readonly Column<ulong> _claims = new();
    private readonly Column<ulong> _remainders = new();
    private readonly Column<long> _parts = new();
    private readonly MemoryWeights _memory;
    private ImmutableArray<Meter> _meters = [];
    private ImmutableArray<Meter> _selected = [];
    private int[] _selectedIndex = [];
    private bool _byCpu;
    private MeterState[] _states = [];

    /// <summary>An attributor that has learned nothing, or that goes on from a trace's initial state.</summary>
    public Attributor(AttributionOptions? options = null, IReadOnlyDictionary<string, StaticFloorState>? floors = null)
    {
        _options = options ?? new AttributionOptions();
        _weights = new RunWeights(_options);
        _memory = new MemoryWeights(_options);
        InitialFloors = floors ?? ImmutableDictionary<string, StaticFloorState>.Empty;
    }

    /// <summary>An attributor that goes on exactly where another one stood, as a trace's header carries it.</summary>
    /// <param name="options">What is set.</param>
    /// <param name="state">What the other one carried.</param>
    /// <param name="meters">The meters it carried it for.</param>
    public Attributor(AttributionOptions? options, AttributorState state, ImmutableArray<Meter> meters)
        : this(options, state.Floors)
    {
        UseMeters(meters);
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

    /// <summary>Everything carried to the next tick: with the same observations, an attributor resumed from it gives the same results.</summary>
    public AttributorState State => new(Floors, _states.ToImmutableSortedDictionary(state => state.Meter.Id, state => state.Carry, StringComparer.Ordinal));

    /// <summary>Attributes one tick.</summary>
    /// <returns>The result; valid until the next call.</returns>
    public TickAttribution Attribute(Observation observation)
    {
        if (observation.Meters != _meters)
        {
            UseMeters(observation.Meters);
        }

        _result.Begin(observation, _selected);
        _weights.Build(observation, _byCpu);
        _memory.Begin();
        _result.Model = _weights.Model;
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

    private void UseMeters(ImmutableArray<Meter> meters)
    {
        ImmutableSortedDictionary<string, StaticFloorState> floors = Floors;
        _meters = meters;
        _selected = [.. meters.Where(meter => meter.Selected)];
        _selectedIndex = [.. meters.Select(meter => _selected.IndexOf(meter))];
        _byCpu = _selected.Any(meter => meter.Cpu is not null);
        Dictionary<string, MeterState> kept = _states.ToDictionary(state => state.Meter.Id);
        _states = [.. _selected.Select(meter => kept.TryGetValue(meter.Id, out MeterState? state) && state.Meter == meter
            ? state
            : new MeterState(meter, floors.TryGetValue(meter.Id, out StaticFloorState floor) ? floor : null))];
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
            HoldBack(observation, state, busy, capacity);
            return;
        }

        long total = energy.Value;
        ref MeterShares shares = ref _result.Shares[k];
        shares.Observed = true;
        shares.Total = total;
        if (state.Unattributable)
        {
            shares.UnattributedActive = total;
            if (meter.Domain.FollowsRuns() && total > 0)
            {
                AddOffCore(k, Leaf.UnattributedOwner, total);
            }

            // The runs held for this reading are owned with it.
            DropSpan(observation, state);
            return;
        }

        if (meter.Domain is EnergyDomain.Overhead or EnergyDomain.Static)
        {
            // Nobody ran for these: they have owners of their own.
            DropSpan(observation, state);
            shares.Overhead = meter.Domain == EnergyDomain.Overhead ? total : 0;
            shares.Static = total - shares.Overhead;
            shares.IdleSeparate = shares.IdleProportional = shares.Static;
            SplitAllocated(observation, k, byMemory: false);
            return;
        }

        long length = observation.Length.Nanoseconds + state.Span.Nanoseconds;
        shares.Static = state.Floor.Part(total, length, busy + state.Span.Busy, capacity + state.Span.Capacity);
        long active = total - shares.Static;

        bool memory = !meter.Domain.FollowsRuns();
        _owners.Begin(observation.ProcessTable.Rows.Length);
        Column<Leaf> leaves;
        int own;
        if (memory)
        {
            DropSpan(observation, state);
            leaves = _memory.Leaves(observation);
            own = leaves.Count;
        }
        else
        {
            leaves = _weights.Leaves;
            own = leaves.Count;
            state.Span.MoveTo(leaves, observation.ProcessTable);
        }

        double weights = Collect(leaves, memory ? null : meter);
        if (active > 0)
        {
            SplitActive(k, active, weights, leaves, memory);
        }

        leaves.Resize(own);
        SplitProportional(k);
        Publish(observation, state, k, length, memory);
        SplitAllocated(observation, k, memory);
    }

    // A slow meter was not read: what ran now will share in its next reading.
    private void HoldBack(Observation observation, MeterState state, double busy, double capacity)
    {
        if (!state.EverRead)
        {
            return;
        }

        state.Span.Nanoseconds += observation.Length.Nanoseconds;
        state.Span.Busy += busy;
        state.Span.Capacity += capacity;
        foreach (ref Leaf leaf in _weights.Leaves.Items)
        {
            if (Covers(state.Meter, leaf.Zone))
            {
                state.Span.Add(leaf, observation.ProcessTable);
            }
        }
    }

    private void DropSpan(Observation observation, MeterState state)
    {
        state.Span.MoveTo(_dropped, observation.ProcessTable);
        _dropped.Clear();
    }

    /// <summary>Finds the leaves that the meter covers (all of them without one) and gathers them by owner.</summary>
    /// <returns>The sum of their weights.</returns>
    private double Collect(Column<Leaf> from, Meter? meter)
    {
        Span<Leaf> leaves = from.Items;
        Span<int> leafOf = Room(_leafOf, leaves.Length);
        int wanted = meter is null ? -1 : Zone(meter);
        int count = 0;
        for (int i = 0; i < leaves.Length; i++)
        {
            // Which package a run was on is a coin toss: no branch on it.
            int zone = leaves[i].Zone;
            leafOf[count] = i;
            count += Convert.ToInt32(wanted < 0 | zone < 0 | zone == wanted);
        }

        _leafOf.Resize(count);
        leafOf = leafOf[..count];
        Span<int> ownerOf = Room(_ownerOf, count);
        Span<double> weightOf = Room(_weightOf, count);
        double sum = 0;
        for (int i = 0; i < leafOf.Length; i++)
        {
            ref Leaf leaf = ref leaves[leafOf[i]];
            ownerOf[i] = _owners.Add(leaf);
            weightOf[i] = leaf.Weight;
            sum += leaf.Weight;
        }

        return sum;
    }

    private void SplitActive(int k, long active, double sum, Column<Leaf> from, bool memory)
    {
        if (sum <= 0)
        {
            if (memory)
            {
                // Nothing says who holds the memory: the energy is owned, not guessed.
                _owners[_owners.IndexOf(Leaf.UnattributedOwner)].Active += active;
            }

            return;
        }

        Span<double> weightOf = _weightOf.Items;
        Prepare(weightOf.Length);
        Span<ulong> claims = _claims.Items;
        double scale = WeightScale / sum;
        for (int i = 0; i < weightOf.Length; i++)
        {
            claims[i] = unchecked((ulong)(long)(weightOf[i] * scale));
        }

        Span<long> parts = _parts.Items;
        if (!IntegerSplit.Split(active, claims, parts, _remainders.Items))
        {
            return;
        }

        Span<OwnerSum> owners = _owners.Items;
        Span<int> ownerOf = _ownerOf.Items;
        Span<int> leafOf = _leafOf.Items;
        Span<Leaf> leaves = from.Items;
        Span<long> runs = _result.RunMicrojoules.Items;
        for (int i = 0; i < parts.Length; i++)
        {
            ref Leaf leaf = ref leaves[leafOf[i]];
            long part = parts[i];
            owners[ownerOf[i]].Active += part;
            if (leaf.Run >= 0)
            {
                runs[leaf.Run] += part;
            }
            else if (leaf.CpuIndex >= 0)
            {
                (leaf.Owner == Leaf.SystemOwner ? _result.InterruptMicrojoules : _result.LostMicrojoules)[leaf.CpuIndex] += part;
            }
            else if (!memory && part > 0)
            {
                AddOffCore(k, leaf.Owner, part);
            }
        }
    }

    private void AddOffCore(int k, int owner, long microjoules)
    {
        ref OffCoreShare share = ref _result.OffCore.Add();
        share.Owner = owner;
        share.Package = _selected[k].Package ?? -1;
        share.Cpu = _selected[k].Cpu ?? -1;
        share.Microjoules = microjoules;
    }

    private void SplitProportional(int k)
    {
        long total = _result.Shares[k].Static;
        if (total == 0 || _owners.Count == 0)
        {
            return;
        }

        Span<OwnerSum> owners = _owners.Items;
        Prepare(owners.Length);
        Span<ulong> claims = _claims.Items;
        for (int i = 0; i < owners.Length; i++)
        {
            claims[i] = (ulong)owners[i].Active;
        }

        Span<long> parts = _parts.Items;
        if (IntegerSplit.Split(total, claims, parts, _remainders.Items))
        {
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
        Prepare(processes + 2);
        Span<ulong> claims = _claims.Items;
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

        Span<long> parts = _parts.Items;
        if (!IntegerSplit.Split(shares.Static, claims, parts, _remainders.Items))
        {
            return;
        }

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
        Prepare(machines.Count + 1);
        Span<ulong> claims = _claims.Items;
        ulong sized = 0;
        for (int i = 0; i < machines.Count; i++)
        {
            MachineRow machine = observation.Machines[machines[i]];
            claims[i] = !machine.Running ? 0 : (ulong)Math.Max(0, (memory ? machine.MemoryKibibytes : machine.Vcpus) ?? 0);
            sized += claims[i];
        }

        ulong capacity = (ulong)(memory ? topology.MemoryKibibytes!.Value : topology.Cpus.Length);
        claims[machines.Count] = capacity > sized ? capacity - sized : 0;
        Span<long> parts = _parts.Items;
        if (!IntegerSplit.Split(shares.Static, claims, parts, _remainders.Items))
        {
            return;
        }

        for (int i = 0; i < machines.Count; i++)
        {
            _result.Allocate(machines[i], k, parts[i]);
            shares.IdleAllocated -= parts[i];
        }
    }

    private void Publish(Observation observation, MeterState state, int k, long length, bool memory)
    {
        ref MeterShares shares = ref _result.Shares[k];
        Span<OwnerSum> owners = _owners.Items;
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
        foreach (ref OwnerSum owner in owners)
        {
            if (owner.Owner >= 0)
            {
                double share = weights > 0 ? owner.Weight / weights : 0;
                double byTime = times > 0 ? owner.Time / times : share;
                _result.Book(owner.Owner, k, owner.Active, owner.Proportional, doubt.Bounds(owner.Active, share, byTime));
            }
        }
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
            Spread = (memory ? MemoryModelSpread : ModelSpread) + _weights.MissingPart,
            Static = state.Floor.Uncertainty * shares.Static,
            Unattributed = shares.UnattributedActive,
            SourceBelow = 1 - meter.LowFactor + (state.Doubt.Below / Math.Max(1.0, shares.Total)),
            SourceAbove = meter.HighFactor - 1 + (state.Doubt.Above / Math.Max(1.0, shares.Total)),
            RandomSquare = (jitter * jitter) + (quantum * quantum),
        };
    }

    private void Prepare(int count)
    {
        _ = Room(_claims, count);
        _ = Room(_remainders, count);
        _ = Room(_parts, count);
    }

    // Scratch of this length; what it holds means nothing.
    private static Span<T> Room<T>(Column<T> column, int count)
        where T : struct
    {
        column.Resize(count);
        return column.Items;
    }

    private static (double Busy, double Capacity) Cover(Observation observation, Meter meter)
    {
        double busy = 0, capacity = 0;
        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            if (Covers(meter, meter.Cpu is null ? observation.Topology.Package(cpu.Cpu) : cpu.Cpu))
            {
                busy += cpu.BusyNanoseconds + cpu.InterruptNanoseconds;
                capacity += observation.Length.Nanoseconds;
            }
        }

        return (busy, capacity);
    }

    // The CPU or package that a meter covers; -1 for one that covers all.
    private static int Zone(Meter meter) => meter.Cpu ?? meter.Package ?? -1;

    // A meter of a zone covers its CPUs and those whose place is unknown.
    private static bool Covers(Meter meter, int zone) => zone < 0 || Zone(meter) is var own && (own < 0 || own == zone);
}
