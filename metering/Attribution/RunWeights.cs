namespace Keck.Metering;

/// <summary>Turns an observation's runs into weighted leaves under the best model that the data allow.</summary>
internal sealed class RunWeights(AttributionOptions options)
{
    // A model is used where at least this part of the run time has its data; the rest takes the mean.
    private const double NeededCoverage = 0.9;

    /// <summary>The tick's leaves.</summary>
    internal Column<Leaf> Leaves { get; } = new();

    /// <summary>The model of the tick.</summary>
    internal ModelKind Model { get; private set; }

    /// <summary>Part of the run time whose weight came from a mean, 0 to 1.</summary>
    internal double MissingPart { get; private set; }

    /// <summary>Builds the leaves of a tick.</summary>
    internal void Build(Observation observation)
    {
        Leaves.Clear();
        (double meanSquare, double meanFactor) = Choose(observation);
        Span<RunSample> runs = observation.Runs.Items;
        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            ref ThreadRow row = ref observation.ThreadTable[thread.Row];
            int owner = row.Kernel ? Leaf.SystemOwner : row.Process >= 0 ? row.Process : Leaf.UnattributedOwner;
            double factor = Model == ModelKind.FullModel ? CounterFactor(thread) ?? meanFactor : 1;
            double cyclesPerNanosecond = Model == ModelKind.CpuTimeRatio ? -1 : CyclesPerNanosecond(observation, thread);
            for (int i = thread.FirstRun; i < thread.FirstRun + thread.RunCount; i++)
            {
                ref RunSample run = ref runs[i];
                double time = run.Nanoseconds - (Math.Min(run.SharedNanoseconds, run.Nanoseconds) * (1 - options.SharedWeight));
                double square = Model == ModelKind.CpuTimeRatio ? 1 : FrequencySquare(run, cyclesPerNanosecond) ?? meanSquare;
                ref Leaf leaf = ref Leaves.Add();
                leaf.Owner = owner;
                leaf.Run = i;
                leaf.CpuIndex = -1;
                leaf.Package = PackageOf(observation, run.Cpu);
                leaf.Time = time;
                leaf.Weight = time * square * factor;
            }
        }

        Span<CpuSample> cpus = observation.Cpus.Items;
        for (int i = 0; i < cpus.Length; i++)
        {
            double gigahertz = cpus[i].KiloHertz / 1e6;
            double square = Model == ModelKind.CpuTimeRatio ? 1 : cpus[i].KiloHertz > 0 ? gigahertz * gigahertz : meanSquare;
            AddCpuLeaf(observation, i, Leaf.SystemOwner, cpus[i].InterruptNanoseconds, square * meanFactor);
            AddCpuLeaf(observation, i, Leaf.UnattributedOwner, cpus[i].LostNanoseconds, square * meanFactor);
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
        leaf.Package = PackageOf(observation, observation.Cpus[cpuIndex].Cpu);
        leaf.Time = nanoseconds;
        leaf.Weight = nanoseconds * perNanosecond;
    }

    // Chooses the model by what the tick's data cover; returns the means that stand in for what is missing.
    private (double MeanSquare, double MeanFactor) Choose(Observation observation)
    {
        double total = 0, withFrequency = 0, withCounters = 0, squares = 0, factors = 0;
        Span<RunSample> runs = observation.Runs.Items;
        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            double? factor = CounterFactor(thread);
            double cyclesPerNanosecond = CyclesPerNanosecond(observation, thread);
            for (int i = thread.FirstRun; i < thread.FirstRun + thread.RunCount; i++)
            {
                double nanoseconds = runs[i].Nanoseconds;
                total += nanoseconds;
                if (FrequencySquare(runs[i], cyclesPerNanosecond) is { } square)
                {
                    withFrequency += nanoseconds;
                    squares += nanoseconds * square;
                }

                if (factor is { } known)
                {
                    withCounters += nanoseconds;
                    factors += nanoseconds * known;
                }
            }
        }

        ModelKind limit = options.Model ?? ModelKind.FullModel;
        double meanSquare = withFrequency > 0 ? squares / withFrequency : 1;
        double meanFactor = withCounters > 0 ? factors / withCounters : 1;
        if (total <= 0 || limit == ModelKind.CpuTimeRatio || withFrequency < total * NeededCoverage)
        {
            (Model, MissingPart) = (ModelKind.CpuTimeRatio, 0);
            return (1, 1);
        }

        if (limit == ModelKind.FrequencyWeighted || withCounters < total * NeededCoverage)
        {
            (Model, MissingPart) = (ModelKind.FrequencyWeighted, 1 - (withFrequency / total));
            return (meanSquare, 1);
        }

        (Model, MissingPart) = (ModelKind.FullModel, 1 - (Math.Min(withCounters, withFrequency) / total));
        return (meanSquare, meanFactor);
    }

    private double? CounterFactor(in ThreadSample thread) =>
        thread.Instructions >= 0 && thread.Cycles > 0 && thread.LlcMisses >= 0
            ? 1 + (options.Alpha * thread.Instructions / thread.Cycles) + (options.Beta * thread.LlcMisses / Math.Max(1, thread.Instructions))
            : null;

    // A thread's own cycles tell its frequency where its runs do not.
    private static double CyclesPerNanosecond(Observation observation, in ThreadSample thread)
    {
        if (thread.Cycles < 0)
        {
            return -1;
        }

        double nanoseconds = 0;
        for (int i = thread.FirstRun; i < thread.FirstRun + thread.RunCount; i++)
        {
            nanoseconds += observation.Runs[i].Nanoseconds;
        }

        return nanoseconds > 0 ? thread.Cycles / nanoseconds : -1;
    }

    // GHz²: kilocycles × 1000 ÷ ns is GHz.
    private static double? FrequencySquare(in RunSample run, double cyclesPerNanosecond)
    {
        double gigahertz = run.KiloCycles >= 0 && run.Nanoseconds > 0 ? run.KiloCycles * 1e3 / run.Nanoseconds : cyclesPerNanosecond;
        return gigahertz >= 0 ? gigahertz * gigahertz : null;
    }

    private static int PackageOf(Observation observation, int cpu) => observation.Topology.Place(cpu)?.Package ?? -1;
}
