using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Fits a <see cref="MachineProfile"/> to a commissioning run: idle, then several kinds of load on one to all CPUs.</summary>
public sealed class Calibrator
{
    // A row is this long: meters jitter by about a millisecond, loads stay as they are for longer.
    private const long RowNanoseconds = 250_000_000;

    private const double IdleUtilisation = 0.03;
    private const double IdleCpus = 0.3;
    private const double IdlestPart = 0.1;
    private const double LeastIdleSeconds = 1;
    private const double LeastBusySeconds = 3;

    // The model and what each mix costs against it are fitted in turn.
    private const int MixRounds = 8;

    private readonly List<CalibrationRow> _rows = [];
    private readonly MixFinder _mixes = new();
    private readonly Dictionary<string, CalibrationRow> _open = [];
    private readonly TraceCpu? _cpu;
    private readonly string? _host;
    private readonly DateTimeOffset? _startedAt;
    private Topology? _topology;
    private bool _begun;
    private double _idlest;

    /// <summary>A calibration of the machine that this header describes.</summary>
    public Calibrator(string? host, DateTimeOffset? startedAt, TraceCpu? cpu) => (_host, _startedAt, _cpu) = (host, startedAt, cpu);

    /// <summary>Takes in a tick.</summary>
    public void Add(Observation observation)
    {
        _topology = observation.Topology;
        if (!_begun)
        {
            // The first tick's readings cover time before it.
            _begun = true;
            return;
        }

        foreach (ref MeterSample sample in observation.MeterSamples.Items)
        {
            Meter meter = observation.Meters[sample.Meter];
            if (!meter.Selected || meter.Quality == ReadingQuality.Estimated || sample.Unattributable || sample.Microjoules < 0)
            {
                continue;
            }

            if (!_open.TryGetValue(meter.Id, out CalibrationRow? row))
            {
                row = new CalibrationRow(meter, _mixes);
                _open.Add(meter.Id, row);
            }

            row.Add(observation, sample.Microjoules);
            if (row.Length >= RowNanoseconds)
            {
                _rows.Add(row);
                _ = _open.Remove(meter.Id);
            }
        }
    }

    /// <summary>Fits.</summary>
    /// <param name="busy">Whether the machine may have been busy throughout: the idlest tenth of the run then passes for idle, less what ran in it by the model.</param>
    /// <exception cref="CalibrationException">The run does not show what a fit needs.</exception>
    public MachineProfile Fit(bool busy = false)
    {
        List<CalibrationRow> runs = [.. _rows.Where(row => row.Meter.Domain.FollowsRuns())], memory = [.. _rows.Where(row => row.Meter.Domain == EnergyDomain.Dram)];
        if (runs.Count == 0)
        {
            throw new CalibrationException("no measured meter of CPUs is in it: there is nothing to calibrate (keck-host meters lists them)");
        }

        List<CalibrationRow>[] byMeter = [.. runs.Concat(memory).GroupBy(row => row.Meter.Id).Select(group => group.ToList())];
        _idlest = busy ? byMeter.Max(Idlest) : 0;
        double idle = byMeter.Min(rows => Seconds(rows.Where(IsIdle))), load = byMeter.Min(rows => Seconds(rows.Where(row => row.Utilisation > 0.1)));
        if (idle < LeastIdleSeconds)
        {
            throw new CalibrationException($"the machine was idle for {idle:0.0} s only, and {LeastIdleSeconds:0} s are needed: stop what runs on it, or take another time");
        }

        if (load < LeastBusySeconds)
        {
            throw new CalibrationException($"the machine was busy for {load:0.0} s only, and {LeastBusySeconds:0} s are needed: record all of the commissioning run");
        }

        bool counters = Covered(runs, row => row.CountedTime), frequency = Covered(runs, row => row.FrequencyTime);
        ImmutableArray<PowerModel>.Builder models = ImmutableArray.CreateBuilder<PowerModel>();
        ImmutableSortedDictionary<string, StaticPower>? floors = null;
        foreach (CalibrationRow row in runs)
        {
            row.Weigh(MixFit.Ones(_mixes.Count));
        }

        foreach (CalibrationRow row in memory)
        {
            row.Weigh(MixFit.Ones(_mixes.Count));
        }

        double[] energyFactors = MixFit.Ones(_mixes.Count);
        foreach (PowerNeeds needs in Enum.GetValues<PowerNeeds>())
        {
            if ((needs == PowerNeeds.Counters && !(counters && frequency)) || (needs == PowerNeeds.Frequency && !frequency))
            {
                continue;
            }

            (PowerModel model, ImmutableSortedDictionary<string, StaticPower> intercepts) = FitModel(runs, needs);
            if (needs == PowerNeeds.Counters && _mixes.Count > 1)
            {
                (model, intercepts, energyFactors) = FitMixes(runs, model, intercepts);
            }

            models.Add(model);
            floors ??= intercepts;
        }

        ImmutableSortedDictionary<string, StaticPower> memoryFloors = Idle(memory);
        (List<CalibrationRow> allMemory, ImmutableSortedDictionary<string, StaticPower> allFloors) = Together(memory, memoryFloors);
        double? perMiss = memory.Count > 0 && Covered(memory, row => row.CountedTime) ? FitMemory(allMemory, allFloors) : null;
        double[] memoryFactors = perMiss is { } energy ? MixFit.OfMemory(allMemory, _mixes.Count, energy, allFloors) : MixFit.Ones(_mixes.Count);
        (double? alpha, double? beta) = counters && frequency ? FitFull(runs, floors!) : (null, null);
        return new MachineProfile
        {
            CreatedAt = _startedAt,
            Host = _host,
            Cpu = _cpu,
            Cpus = _topology!.Cpus.Length,
            Packages = _topology.PackageCount > 0 ? _topology.PackageCount : null,
            MemoryKibibytes = _topology.MemoryKibibytes,
            Static = floors!.AddRange(memoryFloors),
            Models = models.ToImmutable(),
            MicrojoulesPerMiss = perMiss,
            Mixes = models[0].Needs == PowerNeeds.Counters ? [.. Enumerable.Range(0, _mixes.Count).Select(mix => Mix(_mixes.Place(mix), energyFactors[mix], memoryFactors[mix]))] : [],
            Alpha = alpha,
            Beta = beta,
        };
    }

    // On a large machine one CPU's load is a small part of all.
    private bool IsIdle(CalibrationRow row) => row.Utilisation <= Math.Max(_idlest, Math.Min(IdleUtilisation, IdleCpus / row.Cpus));

    // The utilisation that the idlest tenth of a meter's rows stays below; at least as many as are needed.
    private static double Idlest(List<CalibrationRow> rows)
    {
        double seconds = 0, enough = Math.Max(LeastIdleSeconds, Seconds(rows) * IdlestPart);
        double utilisation = 0;
        foreach (CalibrationRow row in rows.OrderBy(row => row.Utilisation).TakeWhile(_ => seconds < enough))
        {
            seconds += row.Length / 1e9;
            utilisation = row.Utilisation;
        }

        return utilisation;
    }

    private static double Seconds(IEnumerable<CalibrationRow> rows) => rows.Sum(row => row.Length) / 1e9;

    private static bool Covered(List<CalibrationRow> rows, Func<CalibrationRow, double> part) => rows.Sum(part) > 0.9 * rows.Sum(row => row.Time);

    private (PowerModel Model, ImmutableSortedDictionary<string, StaticPower> Floors) FitModel(List<CalibrationRow> rows, PowerNeeds needs)
    {
        string[] meters = [.. rows.Select(row => row.Meter.Id).Distinct().Order(StringComparer.Ordinal)];
        (double[] scales, bool[] used) = Scales(rows, needs);
        NonNegativeLeastSquares fit = new(PowerFeatures.Count + meters.Length);
        double[] amounts = new double[PowerFeatures.Count + meters.Length];
        foreach (CalibrationRow row in rows)
        {
            Array.Clear(amounts);
            for (int i = 0; i < PowerFeatures.Count; i++)
            {
                amounts[i] = used[i] ? row.Features[i] / scales[i] : 0;
            }

            amounts[PowerFeatures.Count + Array.IndexOf(meters, row.Meter.Id)] = row.Length / 1e3; // W × ns = nJ
            fit.Add(amounts, row.Microjoules, row.Deviation);
        }

        double[] solution = fit.Solve();
        ImmutableArray<double> coefficients = [.. Enumerable.Range(0, PowerFeatures.Count).Select(i => used[i] ? solution[i] / scales[i] : 0)];

        // The idle rows themselves say what is static, once what ran in them is taken off.
        ImmutableSortedDictionary<string, StaticPower>.Builder floors = ImmutableSortedDictionary.CreateBuilder<string, StaticPower>(StringComparer.Ordinal);
        foreach (string meter in meters)
        {
            List<CalibrationRow> idle = [.. rows.Where(row => row.Meter.Id == meter && IsIdle(row))];
            StaticPower found = Static([.. idle.Select(row => (row.Microjoules - row.Energy(coefficients.AsSpan())) / row.Length * 1e3)]);

            // All that was taken off may have been static: little on an idle machine, most of it on a busy one.
            double takenOff = idle.Sum(row => row.Energy(coefficients.AsSpan())) / idle.Sum(row => row.Length) * 1e3;
            floors[meter] = found with { Deviation = Math.Max(found.Deviation, takenOff) };
        }

        double squares = 0, energies = 0;
        int count = 0;
        foreach (CalibrationRow row in rows.Where(row => row.Utilisation > 0.02))
        {
            double active = row.Microjoules - (floors[row.Meter.Id].Watts * row.Length / 1e3), off = active - row.Energy(coefficients.AsSpan());
            squares += off * off;
            energies += active * active;
            count++;
        }

        return (new PowerModel(needs, coefficients, energies > 0 ? Math.Sqrt(squares / energies) : 1), floors.ToImmutable());
    }

    private (PowerModel Model, ImmutableSortedDictionary<string, StaticPower> Floors, double[] Factors) FitMixes(
        List<CalibrationRow> rows, PowerModel model, ImmutableSortedDictionary<string, StaticPower> floors)
    {
        MixFit fit = new(rows, _mixes.Count);
        for (int round = 0; round < MixRounds; round++)
        {
            fit.Improve(model, floors);
            foreach (CalibrationRow row in rows)
            {
                row.Weigh(fit.Factors);
            }

            (model, floors) = FitModel(rows, PowerNeeds.Counters);
        }

        // Models without counters know nothing of mixes.
        foreach (CalibrationRow row in rows)
        {
            row.Weigh(MixFit.Ones(_mixes.Count));
        }

        return (model, floors, fit.Factors);
    }

    private static InstructionMix Mix(MixPlace place, double energy, double memory) => new(place.InstructionsPerCycle, place.MissesPerKiloInstruction, energy, memory);

    // Units differ by many powers of ten: each feature is measured by its own size.
    private static (double[] Scales, bool[] Used) Scales(List<CalibrationRow> rows, PowerNeeds needs)
    {
        double[] scales = new double[PowerFeatures.Count];
        bool[] used = new bool[PowerFeatures.Count];
        for (int i = 0; i < PowerFeatures.Count; i++)
        {
            double largest = rows.Max(row => row.Features[i]);
            used[i] = largest > 0 && needs switch
            {
                PowerNeeds.Counters => true,
                PowerNeeds.Frequency => i is < PowerFeatures.FirstOfCounters or PowerFeatures.PackageAwake,
                _ => i is PowerFeatures.Awake or PowerFeatures.PackageAwake,
            };
            scales[i] = largest > 0 ? largest : 1;
        }

        return (scales, used);
    }

    // Whose pages lie at which package is not known: all meters of memory together say what a miss costs.
    private (List<CalibrationRow> Rows, ImmutableSortedDictionary<string, StaticPower> Floors) Together(
        List<CalibrationRow> rows, ImmutableSortedDictionary<string, StaticPower> floors)
    {
        List<CalibrationRow>[] meters = [.. rows.GroupBy(row => row.Meter.Id).Select(group => group.ToList())];
        bool aligned = meters.Length > 1 && Array.TrueForAll(meters, meter => meter.Select(row => row.Length).SequenceEqual(meters[0].Select(row => row.Length)));
        if (!aligned)
        {
            return (rows, floors);
        }

        Meter meter = meters[0][0].Meter with { Package = null };
        StaticPower all = new(floors.Values.Sum(floor => floor.Watts), floors.Values.Sum(floor => floor.Deviation));
        return (
            [.. meters[0].Select((_, i) => CalibrationRow.Together(meter, _mixes, [.. meters.Select(rowsOf => rowsOf[i])]))],
            ImmutableSortedDictionary.Create<string, StaticPower>(StringComparer.Ordinal).Add(meter.Id, all));
    }

    private static double? FitMemory(List<CalibrationRow> rows, ImmutableSortedDictionary<string, StaticPower> floors)
    {
        double misses = 0, energies = 0;
        foreach (CalibrationRow row in rows)
        {
            double weight = 1 / (row.Deviation * row.Deviation), active = row.Microjoules - (floors[row.Meter.Id].Watts * row.Length / 1e3);
            misses += weight * row.Features[PowerFeatures.Misses] * row.Features[PowerFeatures.Misses];
            energies += weight * row.Features[PowerFeatures.Misses] * active;
        }

        return misses > 0 && energies > 0 ? energies / misses : null;
    }

    private ImmutableSortedDictionary<string, StaticPower> Idle(List<CalibrationRow> rows) =>
        rows.Where(IsIdle).GroupBy(row => row.Meter.Id).ToImmutableSortedDictionary(
            group => group.Key, group => Static([.. group.Select(row => row.Microjoules / row.Length * 1e3)]), StringComparer.Ordinal);

    // The median: a burst of work in an idle row does not move it.
    private static StaticPower Static(double[] watts)
    {
        Array.Sort(watts);
        double median = Math.Max(0, watts[watts.Length / 2]);
        double spread = watts[watts.Length * 3 / 4] - watts[watts.Length / 4];
        return new StaticPower(median, Math.Max(median * 0.01, 1.96 * spread / 1.35 / Math.Sqrt(watts.Length)));
    }

    private static (double? Alpha, double? Beta) FitFull(List<CalibrationRow> rows, ImmutableSortedDictionary<string, StaticPower> floors)
    {
        NonNegativeLeastSquares fit = new(3);
        double[] scales = [rows.Max(row => row.Full[0]), rows.Max(row => row.Full[1]), rows.Max(row => row.Full[2])];
        double[] amounts = new double[3];
        foreach (CalibrationRow row in rows)
        {
            for (int i = 0; i < 3; i++)
            {
                amounts[i] = scales[i] > 0 ? row.Full[i] / scales[i] : 0;
            }

            fit.Add(amounts, row.Microjoules - (floors[row.Meter.Id].Watts * row.Length / 1e3), row.Deviation);
        }

        double[] solution = fit.Solve();
        double time = solution[0] / scales[0];
        return time > 0
            ? (Math.Clamp(scales[1] > 0 ? solution[1] / scales[1] / time : 0, 0, 10), Math.Clamp(scales[2] > 0 ? solution[2] / scales[2] / time : 0, 0, 100))
            : (null, null);
    }
}
