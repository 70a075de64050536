namespace Keck.Metering;

/// <summary>What ran on a meter's CPUs over a few ticks, and what it came to.</summary>
internal sealed class CalibrationRow(Meter meter, MixFinder mixes)
{
    private const double Precision = 0.01;

    private double _busy;
    private double _capacity;

    internal Meter Meter { get; } = meter;

    /// <summary>By <see cref="PowerFeatures"/>: of all work, weighed by what its mix costs (<see cref="Weigh"/>).</summary>
    internal double[] Features { get; } = new double[PowerFeatures.Count];

    /// <summary>The same by instruction mix, as it was counted.</summary>
    internal SortedDictionary<int, double[]> ByMix { get; } = [];

    /// <summary>A row's energy is not known better than this, whatever the meter says: a standard deviation, µJ.</summary>
    internal double Deviation => Math.Max(1, Microjoules * Precision);

    /// <summary>Sums of <see cref="ModelKind.FullModel"/>: time × f², the same × IPC, × misses per instruction.</summary>
    internal double[] Full { get; } = new double[3];

    internal double Microjoules { get; private set; }

    internal double Length { get; private set; }

    internal double Time { get; private set; }

    internal double CountedTime { get; private set; }

    internal double FrequencyTime { get; private set; }

    /// <summary>CPUs that the meter covers.</summary>
    internal double Cpus => Length > 0 ? _capacity / Length : 0;

    internal double Utilisation => _capacity > 0 ? _busy / _capacity : 0;

    /// <summary>What several meters of the same kind said of the same time, as if they were one.</summary>
    internal static CalibrationRow Together(Meter meter, MixFinder mixes, IReadOnlyList<CalibrationRow> rows)
    {
        CalibrationRow all = new(meter, mixes) { Length = rows[0].Length };
        foreach (CalibrationRow row in rows)
        {
            all.Microjoules += row.Microjoules;
            all.Time += row.Time;
            all.CountedTime += row.CountedTime;
            all._busy += row._busy;
            all._capacity += row._capacity;
            foreach ((int mix, double[] features) in row.ByMix)
            {
                double[] sums = all.Of(mix);
                for (int i = 0; i < features.Length; i++)
                {
                    sums[i] += features[i];
                    all.Features[i] += features[i];
                }
            }
        }

        return all;
    }

    internal double Energy(ReadOnlySpan<double> coefficients)
    {
        double sum = 0;
        for (int i = 0; i < PowerFeatures.Count; i++)
        {
            sum += coefficients[i] * Features[i];
        }

        return sum;
    }

    /// <summary>Sets the features to what they are where each mix's work counts so many times.</summary>
    internal void Weigh(ReadOnlySpan<double> factors)
    {
        Array.Clear(Features, 0, PowerFeatures.PackageAwake);
        foreach ((int mix, double[] features) in ByMix)
        {
            for (int i = 0; i < PowerFeatures.PackageAwake; i++)
            {
                Features[i] += features[i] * (mix == MixFinder.None ? 1 : factors[mix]);
            }
        }
    }

    internal void Add(Observation observation, long microjoules)
    {
        Microjoules += microjoules;
        Length += observation.Length.Nanoseconds;
        Topology topology = observation.Topology;
        ReadOnlySpan<RunSample> runs = observation.Runs.Items;
        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            int mix = mixes.Find(thread);
            double whole = 0;
            foreach (ref readonly RunSample run in runs.Slice(thread.FirstRun, thread.RunCount))
            {
                whole += run.Nanoseconds;
            }

            foreach (ref readonly RunSample run in runs.Slice(thread.FirstRun, thread.RunCount))
            {
                if (MeterZones.Covers(Meter, topology, run.Cpu) && run.Nanoseconds > 0)
                {
                    AddRun(thread, run, whole, Of(mix));
                }
            }
        }

        double asleep = 1;
        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            if (!MeterZones.Covers(Meter, topology, cpu.Cpu))
            {
                continue;
            }

            double busy = cpu.BusyNanoseconds + cpu.InterruptNanoseconds;
            _busy += busy;
            _capacity += observation.Length.Nanoseconds;
            asleep *= 1 - Math.Clamp(busy / observation.Length.Nanoseconds, 0, 1);
            double gigahertz = Math.Max(0, cpu.KiloHertz) / 1e6;
            PowerFeatures.Add(Of(MixFinder.None), cpu.InterruptNanoseconds, gigahertz, 0, 0);
        }

        Features[PowerFeatures.PackageAwake] += observation.Length.Nanoseconds * (1 - asleep);
    }

    private double[] Of(int mix)
    {
        if (!ByMix.TryGetValue(mix, out double[]? features))
        {
            ByMix.Add(mix, features = new double[PowerFeatures.Count]);
        }

        return features;
    }

    private void AddRun(in ThreadSample thread, in RunSample run, double whole, double[] features)
    {
        double part = run.Nanoseconds / whole;
        double time = run.Nanoseconds - (Math.Min(run.SharedNanoseconds, run.Nanoseconds) * (1 - PowerFeatures.SharedWeight));
        double gigahertz = run.KiloCycles > 0 ? run.KiloCycles * 1e3 / run.Nanoseconds : thread.Cycles > 0 ? thread.Cycles / whole : 0;
        Time += run.Nanoseconds;
        FrequencyTime += gigahertz > 0 ? run.Nanoseconds : 0;
        bool counted = thread.Instructions >= 0 && thread.LlcMisses >= 0 && thread.Cycles > 0;
        CountedTime += counted ? run.Nanoseconds : 0;
        PowerFeatures.Add(features, time, gigahertz, counted ? thread.Instructions * part : 0, counted ? thread.LlcMisses * part : 0);
        if (counted)
        {
            double square = time * gigahertz * gigahertz;
            Full[0] += square;
            Full[1] += square * thread.Instructions / thread.Cycles;
            Full[2] += square * thread.LlcMisses / Math.Max(1, thread.Instructions);
        }
    }
}
