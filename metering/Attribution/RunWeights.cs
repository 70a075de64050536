namespace Keck.Metering;

/// <summary>Turns an observation's runs into weighted leaves under the best model that the data allow, sorted by the meters that cover them.</summary>
internal sealed class RunWeights(AttributionOptions options, Signatures? signatures)
{
    // A model is used where at least this part of the run time has its data; the rest takes the mean.
    private const double NeededCoverage = 0.9;

    // What a run is off by whose weight is the mean of the others'.
    private const double MeanSpread = 0.4;

    // By thread: 1 + α·IPC + β·missRate, NaN where its counters are not there; and who owns what it used.
    private readonly Column<double> _factors = new();
    private readonly Column<int> _owners = new();

    // By thread: its consumer's own factor on the model.
    private readonly Column<double> _signatures = new();

    // By run, in the order of threads: its frequency squared (GHz²), NaN where unknown; its time; its slot among the meters' zones.
    private readonly Column<double> _squares = new();
    private readonly Column<double> _times = new();

    private static readonly double[] NothingLearned = new double[PowerFeatures.Count];

    // By run: µJ by the machine's profile, or by the general model; and how much more by what has been learned of this machine.
    private readonly Column<double> _powers = new();
    private readonly Column<double> _shifts = new();

    // By thread: what kind of work it does.
    private readonly Column<WorkKind> _kinds = new();
    private readonly Column<int> _signatureSlots = new();

    // By slot of zones: features of the general model, and amounts of each kind of work.
    private readonly Column<double> _features = new();
    private readonly Column<double> _kindAmounts = new();
    private readonly double[] _meanFeatures = new double[PowerFeatures.Count];
    private double _meanShift;

    // By thread: what its instruction mix costs against the profile's model.
    private readonly Column<double> _mixFactors = new();
    private readonly Column<double> _novelties = new();
    private readonly MixTable? _mixes =
        options is { MayCalibrate: true, Profile: { Mixes.Length: > 0 } profile } ? new MixTable(profile.Mixes) : null;

    private readonly Column<int> _slots = new();

    // By group of meters: its leaves lie together, in the order of threads, interrupts and lost time last.
    private readonly LeafColumns _leaves = new();
    private readonly Column<int> _places = new();
    private readonly Column<int> _starts = new();
    private readonly Column<int> _ends = new();
    private readonly Column<double> _sums = new();
    private readonly Column<int> _counts = new();

    // By slot of zones: µJ that a nanosecond there bears for the package being awake; and the chance that it was not.
    private readonly Column<double> _awake = new();
    private readonly Column<double> _asleep = new();
    private readonly Column<double> _cores = new();
    private Topology? _coresOf;
    private MeterZones? _coresIn;
    private double _awakeCoefficient;
    private double _awakeShift;
    private PowerModel? _power;

    private double _totalTime;
    private double _timeWithFrequency;
    private double _timeWithCounters;
    private double _squaredTime;
    private double _weightedFactors;
    private double _instructions;
    private double _misses;
    private double _cycles;

    // Where counters are read and nobody asked for a formula, the general model takes the place of FullModel: it is off by less (docs/attribution.md).
    private bool MayAdapt => options.Model is null or ModelKind.Adaptive;

    // Models of energy: the core is shared by halves under them.
    private bool MayCalculate => options.MayCalibrate || MayAdapt;

    /// <summary>Part of the run time with counters, 0 to 1.</summary>
    internal double CountedPart => _totalTime > 0 ? _timeWithCounters / _totalTime : 0;

    /// <summary>Part of the run time with a known frequency, 0 to 1.</summary>
    internal double FrequencyPart => _totalTime > 0 ? _timeWithFrequency / _totalTime : 0;

    /// <summary>Whether anything ran at all.</summary>
    internal bool HasRuns => _totalTime > 0;

    /// <summary>The model of the tick.</summary>
    internal ModelKind Model { get; private set; }

    /// <summary>What the calibrated model of the tick was off by on the run it was fitted to, relative; null under other models.</summary>
    internal double? Residual => Model == ModelKind.Calibrated ? _power?.Residual : null;

    /// <summary>Part of the run time whose weight came from a mean, 0 to 1.</summary>
    internal double MissingPart { get; private set; }

    /// <summary>Weights of a group's leaves.</summary>
    internal ReadOnlySpan<double> Weights(int group) => _leaves.Weights.Items[_starts[group].._ends[group]];

    /// <summary>Weights without what has been learned.</summary>
    internal ReadOnlySpan<double> Plains(int group) => signatures is null ? Weights(group) : _leaves.Plains.Items[_starts[group].._ends[group]];

    /// <summary>Weights by time alone.</summary>
    internal ReadOnlySpan<double> Times(int group) => _leaves.Times.Items[_starts[group].._ends[group]];

    /// <summary>Owners of a group's leaves.</summary>
    internal ReadOnlySpan<int> Owners(int group) => _leaves.Owners.Items[_starts[group].._ends[group]];

    /// <summary>Places of a group's leaves: a run, or <see cref="Leaf.OnCpu"/>.</summary>
    internal ReadOnlySpan<int> Places(int group) => _places.Items[_starts[group].._ends[group]];

    /// <summary>Sum of a group's weights.</summary>
    internal double Sum(int group) => _sums[group];

    /// <summary>Builds the leaves of a tick.</summary>
    /// <param name="observation">The tick.</param>
    /// <param name="zones">What the meters cover.</param>
    /// <param name="memory">Told each thread's cache misses on the way.</param>
    internal void Build(Observation observation, MeterZones zones, MemoryWeights memory)
    {
        Collect(observation, zones, memory);
        (double meanSquare, double meanFactor) = Choose();
        PowerModel? power = Model == ModelKind.Calibrated ? _power : null;
        bool adaptive = Model == ModelKind.Adaptive, byPower = power is not null || adaptive;
        if (MayCalculate && !byPower)
        {
            Reshare(observation, options.SharedWeight);
        }

        double meanPower = power is null ? 0 : Calibrate(observation, zones, power);
        LayOut(observation, zones);
        GeneralPass pass = adaptive ? BeginAdapting(observation, zones) : default;
        Weigh(observation, zones, meanSquare, meanFactor, ref pass);
        meanPower = adaptive ? EndAdapting(observation, zones) : meanPower;
        Span<CpuSample> cpus = observation.Cpus.Items;
        for (int i = 0; i < cpus.Length; i++)
        {
            int slot = zones.SlotOf(observation.Topology, cpus[i].Cpu);
            double plain = byPower ? meanPower + (_awakeCoefficient * _awake[slot]) : SquareOf(cpus[i], meanSquare) * meanFactor;
            double shift = adaptive ? _meanShift + (_awakeShift * _awake[slot]) : 0;
            AddCpuLeaf(zones, slot, i, Leaf.SystemOwner, cpus[i].InterruptNanoseconds, plain, shift);
            AddCpuLeaf(zones, slot, i, Leaf.UnattributedOwner, cpus[i].LostNanoseconds, plain, shift);
        }
    }

    /// <summary>What all leaves of a group had of each feature of the general model and of each kind of work, by shared slot.</summary>
    internal void Share(MeterZones zones, int group, Span<double> into)
    {
        into.Clear();
        int slots = zones.ZoneCount + 2;
        for (int slot = 0; slot < slots; slot++)
        {
            if (group != zones.All && slot != group && slot != zones.Unknown)
            {
                continue;
            }

            for (int i = 0; i < PowerFeatures.Count && Model == ModelKind.Adaptive; i++)
            {
                into[i] += _features[(slot * PowerFeatures.Count) + i];
            }

            for (int kind = 0; kind < WorkKind.Count; kind++)
            {
                into[PowerFeatures.Count + kind] += _kindAmounts[(slot * WorkKind.Count) + kind];
            }
        }
    }

    private void Collect(Observation observation, MeterZones zones, MemoryWeights memory)
    {
        double totalTime = 0, timeWithFrequency = 0, timeWithCounters = 0, squaredTime = 0, weightedFactors = 0, instructions = 0, misses = 0, cycles = 0;
        double sharedDiscount = 1 - (MayCalculate ? PowerFeatures.SharedWeight : options.SharedWeight);
        Topology topology = observation.Topology;
        ReadOnlySpan<int> slotOfCpu = zones.SlotsByCpu(topology);
        Span<int> counts = Filled(_counts, zones.ZoneCount + 2);
        Span<ThreadRow> rows = observation.ThreadTable.Rows;
        Span<ThreadSample> threads = observation.Threads.Items;
        Span<RunSample> allRuns = observation.Runs.Items;
        Span<double> factors = Room(_factors, threads.Length);
        Span<int> owners = Room(_owners, threads.Length);
        Span<double> signed = Room(_signatures, signatures is null ? 0 : threads.Length);
        ReadOnlySpan<double> signatureOf = signatures is null ? [] : signatures.Domain(memory: false).Filter.Factors;
        Span<WorkKind> kinds = Room(_kinds, signatures is null ? 0 : threads.Length);
        Span<int> signatureSlots = Room(_signatureSlots, kinds.Length);
        Span<double> mixFactors = Room(_mixFactors, _mixes is null ? 0 : threads.Length), novelties = Room(_novelties, mixFactors.Length);
        Span<double> squares = Room(_squares, allRuns.Length), times = Room(_times, allRuns.Length);
        Span<int> slots = Room(_slots, allRuns.Length);
        bool holdsMemory = zones.MemoryMeters > 0;
        for (int t = 0; t < threads.Length; t++)
        {
            ref ThreadSample thread = ref threads[t];
            ref ThreadRow row = ref rows[thread.Row];
            owners[t] = row.Owner;
            if (signatures is not null)
            {
                int slot = signatures.SlotOf(row.Owner);
                signatures.Note(slot, thread);
                signed[t] = signatureOf[slot];
                kinds[t] = WorkKind.Of(thread);
                signatureSlots[t] = slot;
            }

            double missFactor = 1;
            if (_mixes is not null)
            {
                (mixFactors[t], missFactor, novelties[t]) = _mixes.Factors(thread);
            }

            if (holdsMemory)
            {
                memory.AddMisses(row.Process, thread.LlcMisses * missFactor, signatures is null ? default : kinds[t]);
            }

            double factor = CounterFactor(thread);
            factors[t] = factor;
            bool counted = !double.IsNaN(factor);
            if (counted)
            {
                instructions += thread.Instructions;
                misses += thread.LlcMisses;
                cycles += thread.Cycles;
            }

            int end = thread.FirstRun + thread.RunCount;
            for (int i = thread.FirstRun; i < end; i++)
            {
                ref RunSample run = ref allRuns[i];
                double nanoseconds = run.Nanoseconds;
                totalTime += nanoseconds;
                double gigahertz = run.KiloCycles > 0 && run.Nanoseconds > 0 ? run.KiloCycles * 1e3 / nanoseconds : CyclesPerNanosecond(thread, allRuns);
                double square = double.NaN;
                if (gigahertz > 0)
                {
                    square = gigahertz * gigahertz;
                    timeWithFrequency += nanoseconds;
                    squaredTime += nanoseconds * square;
                }

                if (counted)
                {
                    timeWithCounters += nanoseconds;
                    weightedFactors += nanoseconds * factor;
                }

                squares[i] = square;
                times[i] = nanoseconds - (Math.Min(run.SharedNanoseconds, run.Nanoseconds) * sharedDiscount);
                int slot = unchecked((uint)run.Cpu) < (uint)slotOfCpu.Length ? slotOfCpu[run.Cpu] : zones.SlotOf(topology, run.Cpu);
                slots[i] = slot;
                counts[slot]++;
            }
        }

        (_instructions, _misses, _cycles) = (instructions, misses, cycles);
        (_totalTime, _timeWithFrequency, _timeWithCounters, _squaredTime, _weightedFactors) = (totalTime, timeWithFrequency, timeWithCounters, squaredTime, weightedFactors);
    }

    // By time and frequency, what is shared with a sibling counts otherwise than by energy.
    private void Reshare(Observation observation, double sharedWeight)
    {
        ReadOnlySpan<RunSample> runs = observation.Runs.Items;
        Span<double> times = _times.Items[..runs.Length];
        for (int i = 0; i < runs.Length; i++)
        {
            times[i] = runs[i].Nanoseconds - (Math.Min(runs[i].SharedNanoseconds, runs[i].Nanoseconds) * (1 - sharedWeight));
        }
    }

    // Finds each group its place in the columns.
    private void LayOut(Observation observation, MeterZones zones)
    {
        Span<int> counts = _counts.Items;
        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            counts[zones.SlotOf(observation.Topology, cpu.Cpu)] += (cpu.InterruptNanoseconds > 0 ? 1 : 0) + (cpu.LostNanoseconds > 0 ? 1 : 0);
        }

        int all = 0, next = 0;
        foreach (int count in counts)
        {
            all += count;
        }

        _ = Filled(_sums, zones.Count);
        Span<int> starts = Room(_starts, zones.Count), ends = Room(_ends, zones.Count);
        for (int group = 0; group < zones.Count; group++)
        {
            (starts[group], ends[group]) = (next, next);
            next += group == zones.All ? all : counts[group] + counts[zones.Unknown];
        }

        _leaves.Resize(next);
        _places.Resize(next);
    }

    private void Weigh(Observation observation, MeterZones zones, double meanSquare, double meanFactor, ref GeneralPass pass)
    {
        bool byTime = Model == ModelKind.CpuTimeRatio, byCounters = Model == ModelKind.FullModel, byPower = Model is ModelKind.Calibrated or ModelKind.Adaptive, adaptive = Model == ModelKind.Adaptive, calibrated = Model == ModelKind.Calibrated;
        Span<double> novelties = _novelties.Items;
        Span<double> powers = _powers.Items, shifts = _shifts.Items, awake = _awake.Items;
        Span<int> signatureSlots = _signatureSlots.Items;
        Span<WorkKind> kinds = _kinds.Items;
        ReadOnlySpan<double> kindOf = signatures is null ? [] : signatures.Kinds(memory: false);
        Span<double> kindAmounts = Filled(_kindAmounts, (zones.ZoneCount + 2) * WorkKind.Count);
        Span<ThreadSample> threads = observation.Threads.Items;
        Span<double> factors = _factors.Items, squares = _squares.Items, times = _times.Items;
        Span<double> signed = _signatures.Items;
        Span<int> owners = _owners.Items, slots = _slots.Items;
        Span<double> weightOf = _leaves.Weights.Items, plainOf = _leaves.Plains.Items, timeOf = _leaves.Times.Items, sums = _sums.Items;
        Span<int> ownerOf = _leaves.Owners.Items, placeOf = _places.Items, ends = _ends.Items;
        int zoneCount = zones.ZoneCount;
        bool simple = zones.All < 0;
        for (int t = 0; t < threads.Length; t++)
        {
            double factor = !byCounters ? 1 : double.IsNaN(factors[t]) ? meanFactor : factors[t];
            double learned = 1;
            if (signed.Length > 0)
            {
                learned = signed[t] + kinds[t].Of(kindOf);
            }

            if (adaptive)
            {
                pass.Add(threads[t], signed.Length > 0 && signatureSlots[t] != Signatures.RestSlot ? signatures!.FeaturesOf(signatureSlots[t]) : default);
            }

            double plains = 0, inSlot = 0;
            int owner = owners[t], first = threads[t].FirstRun, end = first + threads[t].RunCount;
            for (int run = first; run < end; run++)
            {
                double time = times[run], known = squares[run];
                int slot = slots[run];
                double plain = byPower
                    ? powers[run] + (time * _awakeCoefficient * awake[slot])
                    : time * (byTime ? 1 : double.IsNaN(known) ? meanSquare : known) * factor;
                double weight = plain;
                if (signed.Length > 0)
                {
                    weight = (plain * learned) + (adaptive ? shifts[run] + (time * _awakeShift * awake[slot]) : 0);
                    weight = Math.Max(weight, plain * FactorFilter.Least);
                    plains += plain;
                    inSlot += plain;
                    if (run + 1 == end || slots[run + 1] != slot)
                    {
                        kinds[t].AddTo(kindAmounts.Slice(slot * WorkKind.Count, WorkKind.Count), inSlot);
                        inSlot = 0;
                    }
                }

                if (simple && slot < zoneCount)
                {
                    int at = ends[slot]++;
                    weightOf[at] = weight;
                    if (signed.Length > 0)
                    {
                        plainOf[at] = plain;
                    }

                    timeOf[at] = time;
                    ownerOf[at] = owner;
                    placeOf[at] = run;
                    sums[slot] += weight;
                }
                else
                {
                    Put(zones, slot, run, owner, weight, plain, time);
                }
            }

            if (signed.Length > 0 && signatureSlots[t] != Signatures.RestSlot)
            {
                signatures!.AddWork(signatureSlots[t], kinds[t], plains, calibrated && t < novelties.Length ? novelties[t] : 0);
            }
        }
    }

    private double SquareOf(in CpuSample cpu, double meanSquare)
    {
        double gigahertz = cpu.KiloHertz / 1e6;
        return Model == ModelKind.CpuTimeRatio ? 1 : cpu.KiloHertz > 0 ? gigahertz * gigahertz : meanSquare;
    }

    // Energy of runs by the machine's profile; what is not known of a run takes the mean. Returns the mean, µJ a nanosecond.
    private double Calibrate(Observation observation, MeterZones zones, PowerModel model)
    {
        ReadOnlySpan<double> coefficients = model.Coefficients.AsSpan();
        bool counters = model.Needs == PowerNeeds.Counters;
        Span<ThreadSample> threads = observation.Threads.Items;
        ReadOnlySpan<RunSample> runs = observation.Runs.Items;
        Span<double> squares = _squares.Items, times = _times.Items, powers = Room(_powers, runs.Length);
        double known = 0, knownTime = 0;
        for (int t = 0; t < threads.Length; t++)
        {
            ref ThreadSample thread = ref threads[t];
            double factor = counters && _mixes is not null ? _mixFactors[t] : 1;
            bool counted = !counters || (thread.Instructions >= 0 && thread.LlcMisses >= 0);
            double whole = 0;
            int end = thread.FirstRun + thread.RunCount;
            for (int i = thread.FirstRun; i < end; i++)
            {
                whole += runs[i].Nanoseconds;
            }

            for (int i = thread.FirstRun; i < end; i++)
            {
                double gigahertz = model.Needs == PowerNeeds.Time ? 0 : Math.Sqrt(squares[i]);
                if (!counted || double.IsNaN(gigahertz))
                {
                    powers[i] = double.NaN;
                    continue;
                }

                double part = counters && whole > 0 ? runs[i].Nanoseconds / whole : 0;
                double energy = factor * PowerFeatures.Energy(coefficients, times[i], gigahertz, counters ? thread.Instructions * part : 0, counters ? thread.LlcMisses * part : 0);
                powers[i] = energy;
                known += energy;
                knownTime += times[i];
            }
        }

        double mean = knownTime > 0 ? known / knownTime : 0;
        for (int i = 0; i < powers.Length; i++)
        {
            if (double.IsNaN(powers[i]))
            {
                powers[i] = mean * times[i];
            }
        }

        ShareAwake(observation, zones);
        (_awakeCoefficient, _awakeShift) = (coefficients[PowerFeatures.PackageAwake], 0);
        return mean;
    }

    // What the general model needs before runs are weighed.
    private GeneralPass BeginAdapting(Observation observation, MeterZones zones)
    {
        ShareAwake(observation, zones);
        ReadOnlySpan<double> cores = Cores(observation.Topology, zones);
        for (int slot = 0; slot < cores.Length; slot++)
        {
            _awake[slot] *= cores[slot];
        }

        ReadOnlySpan<double> learned = signatures is null ? NothingLearned : signatures.Coefficients;
        (_awakeCoefficient, _awakeShift) = (GeneralModel.Prior[PowerFeatures.PackageAwake], learned[PowerFeatures.PackageAwake]);
        return new GeneralPass
        {
            Runs = observation.Runs.Items,
            Squares = _squares.Items,
            Times = _times.Items,
            Slots = _slots.Items,
            Awake = _awake.Items,
            Learned = learned,
            Powers = Room(_powers, observation.Runs.Count),
            Shifts = Room(_shifts, observation.Runs.Count),
            Features = Filled(_features, cores.Length * PowerFeatures.Count),
            MeanSquare = _timeWithFrequency > 0 ? _squaredTime / _timeWithFrequency : 1,
            MeanInstructions = _cycles > 0 ? _instructions / _cycles : 1,
            MeanMisses = _cycles > 0 ? _misses / _cycles : 0,
        };
    }

    // Interrupts and lost time are as the mean of the runs. Returns it, a nanosecond's.
    private double EndAdapting(Observation observation, MeterZones zones)
    {
        Span<double> features = _features.Items;
        ReadOnlySpan<double> prior = GeneralModel.Prior, learned = signatures is null ? NothingLearned : signatures.Coefficients;
        double allTime = 0, mean = 0;
        foreach (double time in _times.Items)
        {
            allTime += time;
        }

        _meanShift = 0;
        for (int at = 0; at < PowerFeatures.PackageAwake; at++)
        {
            double sum = 0;
            for (int slot = 0; slot < _cores.Count; slot++)
            {
                sum += features[(slot * PowerFeatures.Count) + at];
            }

            _meanFeatures[at] = allTime > 0 ? sum / allTime : 0;
            mean += _meanFeatures[at] * prior[at];
            _meanShift += _meanFeatures[at] * learned[at];
        }

        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            int slot = zones.SlotOf(observation.Topology, cpu.Cpu);
            for (int at = 0; at < PowerFeatures.PackageAwake; at++)
            {
                features[(slot * PowerFeatures.Count) + at] += (cpu.InterruptNanoseconds + cpu.LostNanoseconds) * _meanFeatures[at];
            }
        }

        for (int slot = 0; slot < _cores.Count; slot++)
        {
            features[(slot * PowerFeatures.Count) + PowerFeatures.PackageAwake] = _awake[slot] > 0 ? _cores[slot] * observation.Length.Nanoseconds * (1 - _asleep[slot]) : 0;
        }

        return mean;
    }

    // Cores by slot of zones: what is awake around them grows with them.
    private ReadOnlySpan<double> Cores(Topology topology, MeterZones zones)
    {
        if (!ReferenceEquals(_coresOf, topology) || !ReferenceEquals(_coresIn, zones))
        {
            (_coresOf, _coresIn) = (topology, zones);
            Span<double> cores = Filled(_cores, zones.ZoneCount + 2);
            HashSet<(int, int)> seen = [];
            foreach (CpuPlace place in topology.Cpus)
            {
                cores[zones.SlotOf(topology, place.Cpu)] += seen.Add((place.Package, place.Core)) ? 1 : 0;
            }
        }

        return _cores.Items;
    }

    // Time in which anybody was awake on a package is shared by who ran there.
    private void ShareAwake(Observation observation, MeterZones zones)
    {
        Span<double> awake = Filled(_awake, zones.ZoneCount + 2), asleep = Room(_asleep, zones.ZoneCount + 2);
        asleep.Fill(1);
        double length = observation.Length.Nanoseconds;
        Span<double> times = _times.Items;
        Span<int> slots = _slots.Items;
        for (int i = 0; i < times.Length; i++)
        {
            awake[slots[i]] += times[i];
        }

        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            int slot = zones.SlotOf(observation.Topology, cpu.Cpu);
            asleep[slot] *= 1 - Math.Clamp((cpu.BusyNanoseconds + cpu.InterruptNanoseconds) / length, 0, 1);
            awake[slot] += cpu.InterruptNanoseconds + cpu.LostNanoseconds;
        }

        for (int slot = 0; slot < awake.Length; slot++)
        {
            awake[slot] = awake[slot] > 0 ? length * (1 - asleep[slot]) / awake[slot] : 0;
        }
    }

    private void AddCpuLeaf(MeterZones zones, int slot, int cpuIndex, int owner, long nanoseconds, double perNanosecond, double shift)
    {
        if (nanoseconds > 0)
        {
            double plain = nanoseconds * perNanosecond;
            double weight = signatures is null ? plain : Math.Max(plain * FactorFilter.Least, (plain * signatures.Factor(owner, memory: false)) + (nanoseconds * shift));
            Put(zones, slot, Leaf.OnCpu(cpuIndex), owner, weight, plain, nanoseconds);
        }
    }

    // Puts a leaf into every group that covers it.
    private void Put(MeterZones zones, int slot, int place, int owner, double weight, double plain, double time)
    {
        if (slot < zones.ZoneCount)
        {
            PutInto(slot, place, owner, weight, plain, time);
        }
        else if (slot == zones.Unknown)
        {
            for (int group = 0; group < zones.ZoneCount; group++)
            {
                PutInto(group, place, owner, weight, plain, time);
            }
        }

        if (zones.All >= 0)
        {
            PutInto(zones.All, place, owner, weight, plain, time);
        }
    }

    private void PutInto(int group, int place, int owner, double weight, double plain, double time)
    {
        int at = _ends[group]++;
        _leaves.Weights[at] = weight;
        _leaves.Plains[at] = plain;
        _leaves.Times[at] = time;
        _leaves.Owners[at] = owner;
        _places[at] = place;
        _sums[group] += weight;
    }

    // Chooses the model by what the tick's data cover; returns the means that stand in for what is missing.
    private (double MeanSquare, double MeanFactor) Choose()
    {
        ModelKind limit = options.Model ?? ModelKind.Adaptive;
        double meanSquare = _timeWithFrequency > 0 ? _squaredTime / _timeWithFrequency : 1;
        double meanFactor = _timeWithCounters > 0 ? _weightedFactors / _timeWithCounters : 1;
        if (options.MayCalibrate && _totalTime > 0 && ChoosePower(options.Profile!))
        {
            return (meanSquare, meanFactor);
        }

        if (_totalTime <= 0 || limit == ModelKind.CpuTimeRatio || _timeWithFrequency < _totalTime * NeededCoverage)
        {
            (Model, MissingPart) = (ModelKind.CpuTimeRatio, 0);
            return (1, 1);
        }

        if (limit == ModelKind.FrequencyWeighted || _timeWithCounters < _totalTime * NeededCoverage)
        {
            (Model, MissingPart) = (ModelKind.FrequencyWeighted, 1 - (_timeWithFrequency / _totalTime));
            return (meanSquare, 1);
        }

        if (MayAdapt)
        {
            (Model, MissingPart) = (ModelKind.Adaptive, 1 - (Math.Min(_timeWithCounters, _timeWithFrequency) / _totalTime));
            return (meanSquare, meanFactor);
        }

        (Model, MissingPart) = (ModelKind.FullModel, 1 - (Math.Min(_timeWithCounters, _timeWithFrequency) / _totalTime));
        return (meanSquare, meanFactor);
    }

    // Of the profile's models the one with the least expected error: its own on the commissioning run, and what a mean stands in for.
    private bool ChoosePower(MachineProfile profile)
    {
        double least = double.MaxValue;
        _power = null;
        foreach (PowerModel model in profile.Models)
        {
            double covered = model.Needs switch
            {
                PowerNeeds.Counters => Math.Min(_timeWithCounters, _timeWithFrequency),
                PowerNeeds.Frequency => _timeWithFrequency,
                _ => _totalTime,
            };
            double missing = 1 - (covered / _totalTime), expected = model.Residual + (missing * MeanSpread);
            if (covered > 0 && expected < least)
            {
                (least, _power, MissingPart) = (expected, model, missing);
            }
        }

        if (_power is not null)
        {
            Model = ModelKind.Calibrated;
        }

        return _power is not null;
    }

    private double CounterFactor(in ThreadSample thread) =>
        thread.Instructions >= 0 && thread.Cycles > 0 && thread.LlcMisses >= 0
            ? 1 + (options.Alpha * thread.Instructions / thread.Cycles) + (options.Beta * thread.LlcMisses / Math.Max(1, thread.Instructions))
            : double.NaN;

    // A thread's own cycles tell its frequency, in GHz, where its runs do not.
    private static double CyclesPerNanosecond(in ThreadSample thread, ReadOnlySpan<RunSample> runs)
    {
        if (thread.Cycles <= 0)
        {
            // Who ran has used cycles: none counted is none known.
            return -1;
        }

        double nanoseconds = 0;
        foreach (ref readonly RunSample run in runs.Slice(thread.FirstRun, thread.RunCount))
        {
            nanoseconds += run.Nanoseconds;
        }

        return nanoseconds > 0 ? thread.Cycles / nanoseconds : -1;
    }

    private static Span<T> Room<T>(Column<T> column, int count)
        where T : struct
    {
        column.Resize(count);
        return column.Items;
    }

    private static Span<T> Filled<T>(Column<T> column, int count)
        where T : struct
    {
        column.Clear();
        return Room(column, count);
    }
}
