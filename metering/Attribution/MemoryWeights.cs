namespace Keck.Metering;

/// <summary>Memory's active energy follows who holds memory (PSS) and who misses the caches, not who runs.</summary>
internal sealed class MemoryWeights(AttributionOptions options, Signatures? signatures)
{
    private readonly Column<double> _misses = new();

    // The same by what each kind of work's misses cost more than others'.
    private readonly Column<double> _lifts = new();
    private readonly double[] _kinds = new double[WorkKind.Count];
    private double _missPart;
    private readonly LeafColumns _leaves = new();
    private double _totalMisses;
    private double _sum;

    /// <summary>Whether misses were counted in this tick.</summary>
    internal bool HasMisses => _totalMisses > 0;

    /// <summary>Starts a tick.</summary>
    internal void Begin(Observation observation)
    {
        _misses.Clear();
        _misses.Resize(observation.ProcessTable.Rows.Length);
        _lifts.Clear();
        _lifts.Resize(observation.ProcessTable.Rows.Length);
        _kinds.AsSpan().Clear();
        _totalMisses = 0;
    }

    /// <summary>Adds what a thread missed the caches by, weighed by what a miss of its kind costs; unknown counts and threads of unknown processes tell nothing.</summary>
    internal void AddMisses(int process, double misses, in WorkKind kind)
    {
        if (misses > 0 && process >= 0)
        {
            _misses[process] += misses;
            _totalMisses += misses;
            if (signatures is not null)
            {
                _lifts[process] += misses * kind.Of(signatures.Kinds(memory: true));
                kind.AddTo(_kinds, misses);
            }
        }
    }

    /// <summary>What all leaves had of each kind of work, by shared slot.</summary>
    internal void Share(Span<double> into)
    {
        into.Clear();
        for (int kind = 0; kind < WorkKind.Count && _totalMisses > 0; kind++)
        {
            into[Signatures.KindSlots - Signatures.CoefficientSlots + kind] = _kinds[kind] * _missPart / _totalMisses;
        }
    }

    /// <summary>One leaf for each process that holds or touches memory; the same for every memory meter of the tick.</summary>
    /// <returns>The leaves, and the sum of their weights.</returns>
    /// <param name="observation">The tick.</param>
    /// <param name="missesAlone">Whether the meters' static part is known and misses are counted: what is active then goes by them alone, since memory that is only held draws nothing more.</param>
    internal (LeafColumns Leaves, double Sum) Collect(Observation observation, bool missesAlone)
    {
        _leaves.Clear();
        _sum = 0;
        Span<ProcessRow> processes = observation.ProcessTable.Rows;
        Span<double> misses = _misses.Items, lifts = _lifts.Items;
        double totalMisses = _totalMisses, totalPss = 0;
        int known = 0, unknown = 0;
        foreach (ref ProcessRow process in processes)
        {
            if (IsHolder(process))
            {
                totalPss += Math.Max(0, process.PssKibibytes);
                _ = process.PssKibibytes >= 0 ? known++ : unknown++;
            }
        }

        // Memory that may not be read is not zero. It is taken to be as large, process by process, as the known, and nobody is charged for it.
        double unknownPss = known == 0 ? 0 : totalPss / known * unknown;
        totalPss += unknownPss;

        double missPart = totalMisses == 0 ? 0 : totalPss == 0 || (missesAlone && (signatures is not null || options.Profile is { MicrojoulesPerMiss: not null })) ? 1 : 1 - options.DramPssPart;
        _missPart = missPart;
        if (unknownPss > 0 && missPart < 1)
        {
            AddLeaf(Leaf.UnattributedOwner, (1 - missPart) * unknownPss / totalPss, 0);
        }

        for (int row = 0; row < processes.Length; row++)
        {
            double byMisses = misses[row] == 0 ? 0 : missPart * misses[row] / totalMisses;
            double byMemory = totalPss == 0 ? 0 : (1 - missPart) * Held(processes[row]) / totalPss;
            if (byMisses + byMemory > 0)
            {
                AddLeaf(processes[row].Kernel ? Leaf.SystemOwner : row, byMisses + byMemory, misses[row] == 0 ? 0 : missPart * lifts[row] / totalMisses);
            }
        }

        return (_leaves, _sum);
    }

    private void AddLeaf(int owner, double weight, double lift)
    {
        double signed = signatures is null ? weight : Math.Max(weight * FactorFilter.Least, (weight * signatures.Factor(owner, memory: true)) + lift);
        _leaves.Add(owner, signed, weight, weight);
        _sum += signed;
    }

    private static bool IsHolder(in ProcessRow process) => process.Pid != 0 && !process.Ended && !process.Kernel;

    private static double Held(in ProcessRow process) => IsHolder(process) ? Math.Max(0, process.PssKibibytes) : 0;
}
