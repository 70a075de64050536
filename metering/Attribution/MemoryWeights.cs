namespace Keck.Metering;

/// <summary>Memory's active energy follows who holds memory (PSS) and who misses the caches, not who runs.</summary>
internal sealed class MemoryWeights(AttributionOptions options)
{
    private readonly Column<long> _misses = new();
    private readonly Column<Leaf> _leaves = new();
    private bool _collected;

    /// <summary>Starts a tick.</summary>
    internal void Begin() => _collected = false;

    /// <summary>One leaf for each process that holds or touches memory; the same for every memory meter of the tick.</summary>
    internal Column<Leaf> Leaves(Observation observation)
    {
        if (!_collected)
        {
            Collect(observation);
            _collected = true;
        }

        return _leaves;
    }

    private void Collect(Observation observation)
    {
        _leaves.Clear();
        Span<ProcessRow> processes = observation.ProcessTable.Rows;
        Span<ThreadRow> threads = observation.ThreadTable.Rows;
        _misses.Clear();
        _misses.Resize(processes.Length);
        Span<long> misses = _misses.Items;
        double totalMisses = 0, totalPss = 0;
        int known = 0, unknown = 0;
        foreach (ref ThreadSample thread in observation.Threads.Items)
        {
            int process = threads[thread.Row].Process;
            if (thread.LlcMisses > 0 && process >= 0)
            {
                misses[process] += thread.LlcMisses;
                totalMisses += thread.LlcMisses;
            }
        }

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

        double missPart = totalMisses == 0 ? 0 : totalPss == 0 ? 1 : 1 - options.DramPssPart;
        if (unknownPss > 0)
        {
            AddLeaf(Leaf.UnattributedOwner, (1 - missPart) * unknownPss / totalPss);
        }

        for (int row = 0; row < processes.Length; row++)
        {
            double byMisses = misses[row] == 0 ? 0 : missPart * misses[row] / totalMisses;
            double byMemory = totalPss == 0 ? 0 : (1 - missPart) * Held(processes[row]) / totalPss;
            if (byMisses + byMemory > 0)
            {
                AddLeaf(processes[row].Kernel ? Leaf.SystemOwner : row, byMisses + byMemory);
            }
        }
    }

    private void AddLeaf(int owner, double weight)
    {
        ref Leaf leaf = ref _leaves.Add();
        leaf.Owner = owner;
        leaf.Run = -1;
        leaf.CpuIndex = -1;
        leaf.Weight = weight;
        leaf.Time = weight;
    }

    private static bool IsHolder(in ProcessRow process) => process.Pid != 0 && !process.Ended && !process.Kernel;

    private static double Held(in ProcessRow process) => IsHolder(process) ? Math.Max(0, process.PssKibibytes) : 0;
}
