namespace Keck.Metering;

/// <summary>Turns an observation's runs into weighted leaves under the best model that the data allow.</summary>
internal sealed class RunWeights(AttributionOptions options)
{
    // A model is used where at least this part of the run time has its data; the rest takes the mean.
    private const double NeededCoverage = 0.9;

    // Per thread, 1 + α·IPC + β·missRate; NaN where its counters are not there.
    private readonly Column<double> _factors = new();

    private bool _byCpu;
    private double _totalTime;
    private double _timeWithFrequency;
    private double _timeWithCounters;
    private double _squares;
    private double _weightedFactors;

    /// <summary>The tick's leaves.</summary>
    internal Column<Leaf> Leaves { get; } = new();

    /// <summary>The model of the tick.</summary>
    internal ModelKind Model { get; private set; }

    /// <summary>Part of the run time whose weight came from a mean, 0 to 1.</summary>
    internal double MissingPart { get; private set; }

    /// <summary>Builds the leaves of a tick.</summary>
    /// <param name="observation">The tick.</param>
    /// <param name="byCpu">Whether meters cover single CPUs; packages otherwise.</param>
    internal void Build(Observation observation, bool byCpu)
    {
        _byCpu = byCpu;
        Collect(observation);
        (double meanSquare, double meanFactor) = Choose();
        Weigh(observation, meanSquare, meanFactor);
        Span<CpuSample> cpus = observation.Cpus.Items;
        for (int i = 0; i < cpus.Length; i++)
        {
            double gigahertz = cpus[i].KiloHertz / 1e6;
            double square = Model == ModelKind.CpuTimeRatio ? 1 : cpus[i].KiloHertz > 0 ? gigahertz * gigahertz : meanSquare;
            AddCpuLeaf(observation, i, Leaf.SystemOwner, cpus[i].InterruptNanoseconds, square * meanFactor);
            AddCpuLeaf(observation, i, Leaf.UnattributedOwner, cpus[i].LostNanoseconds, square * meanFactor);
        }
    }

    // One leaf for each run, in the order of threads. Its weight is its frequency squared (GHz²), NaN where unknown, until Weigh has seen the whole tick.
    private void Collect(Observation observation)
    {
        (_totalTime, _timeWithFrequency, _timeWithCounters, _squares, _weightedFactors) = (0, 0, 0, 0, 0);
        double sharedDiscount = 1 - options.SharedWeight;
        Topology topology = observation.Topology;
        Span<ThreadRow> rows = observation.ThreadTable.Rows;
        Span<ThreadSample> threads = observation.Threads.Items;
        Leaves.Resize(observation.Runs.Count);
        _factors.Resize(threads.Length);
        Span<Leaf> leaves = Leaves.Items;
        Span<double> factors = _factors.Items;
        int next = 0;
        for (int t = 0; t < threads.Length; t++)
        {
            ref ThreadSample thread = ref threads[t];
            ref ThreadRow row = ref rows[thread.Row];
            int owner = row.Owner;
            double factor = CounterFactor(thread);
            factors[t] = factor;
            Span<RunSample> runs = observation.Runs.Items.Slice(thread.FirstRun, thread.RunCount);
            double cyclesPerNanosecond = CyclesPerNanosecond(thread, runs);
            for (int i = 0; i < runs.Length; i++)
            {
                ref RunSample run = ref runs[i];
                double nanoseconds = run.Nanoseconds;
                double square = FrequencySquare(run, cyclesPerNanosecond);
                _totalTime += nanoseconds;
                if (!double.IsNaN(square))
                {
                    _timeWithFrequency += nanoseconds;
                    _squares += nanoseconds * square;
                }

                if (!double.IsNaN(factor))
                {
                    _timeWithCounters += nanoseconds;
                    _weightedFactors += nanoseconds * factor;
                }

                leaves[next++] = new Leaf
                {
                    Owner = owner,
                    Run = thread.FirstRun + i,
                    CpuIndex = -1,
                    Zone = _byCpu ? run.Cpu : topology.Package(run.Cpu),
                    Time = nanoseconds - (Math.Min(run.SharedNanoseconds, nanoseconds) * sharedDiscount),
                    Weight = square,
                };
            }
        }

        Leaves.Resize(next);
    }

    private void Weigh(Observation observation, double meanSquare, double meanFactor)
    {
        Span<Leaf> leaves = Leaves.Items;
        Span<ThreadSample> threads = observation.Threads.Items;
        Span<double> factors = _factors.Items;
        int next = 0;
        for (int t = 0; t < threads.Length; t++)
        {
            double factor = Model != ModelKind.FullModel ? 1 : double.IsNaN(factors[t]) ? meanFactor : factors[t];
            for (int end = next + threads[t].RunCount; next < end; next++)
            {
                ref Leaf leaf = ref leaves[next];
                double square = Model == ModelKind.CpuTimeRatio ? 1 : double.IsNaN(leaf.Weight) ? meanSquare : leaf.Weight;
                leaf.Weight = leaf.Time * square * factor;
            }
        }
    }

    private void AddCpuLeaf(Observation observation, int cpuIndex, int owner, long nanoseconds, double perNanosecond)
    {
        if (nanoseconds <= 0)
        {
            return;
        }

        ref Leaf leaf = ref Leaves.Add();
        leaf.Owner = owner;
        leaf.Run = -1;
        leaf.CpuIndex = cpuIndex;
        int cpu = observation.Cpus[cpuIndex].Cpu;
        leaf.Zone = _byCpu ? cpu : observation.Topology.Package(cpu);
        leaf.Time = nanoseconds;
        leaf.Weight = nanoseconds * perNanosecond;
    }

    // Chooses the model by what the tick's data cover; returns the means that stand in for what is missing.
    private (double MeanSquare, double MeanFactor) Choose()
    {
        ModelKind limit = options.Model ?? ModelKind.FullModel;
        double meanSquare = _timeWithFrequency > 0 ? _squares / _timeWithFrequency : 1;
        double meanFactor = _timeWithCounters > 0 ? _weightedFactors / _timeWithCounters : 1;
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

        (Model, MissingPart) = (ModelKind.FullModel, 1 - (Math.Min(_timeWithCounters, _timeWithFrequency) / _totalTime));
        return (meanSquare, meanFactor);
    }

    private double CounterFactor(in ThreadSample thread) =>
        thread.Instructions >= 0 && thread.Cycles > 0 && thread.LlcMisses >= 0
            ? 1 + (options.Alpha * thread.Instructions / thread.Cycles) + (options.Beta * thread.LlcMisses / Math.Max(1, thread.Instructions))
            : double.NaN;

    // A thread's own cycles tell its frequency where its runs do not.
    private static double CyclesPerNanosecond(in ThreadSample thread, ReadOnlySpan<RunSample> runs)
    {
        if (thread.Cycles <= 0)
        {
            // Who ran has used cycles: none counted is none known.
            return -1;
        }

        double nanoseconds = 0;
        foreach (ref readonly RunSample run in runs)
        {
            nanoseconds += run.Nanoseconds;
        }

        return nanoseconds > 0 ? thread.Cycles / nanoseconds : -1;
    }

    // GHz²: kilocycles × 1000 ÷ ns is GHz.
    private static double FrequencySquare(in RunSample run, double cyclesPerNanosecond)
    {
        double gigahertz = run.KiloCycles > 0 && run.Nanoseconds > 0 ? run.KiloCycles * 1e3 / run.Nanoseconds : cyclesPerNanosecond;
        return gigahertz > 0 ? gigahertz * gigahertz : double.NaN;
    }
}
