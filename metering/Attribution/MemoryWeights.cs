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
            totalPss += Held(process);
        }

        double missPart = totalMisses == 0 ? 0 : totalPss == 0 ? 1 : 1 - options.DramPssPart;
        for (int row = 0; row < processes.Length; row++)
        {
            double byMisses = misses[row] == 0 ? 0 : missPart * misses[row] / totalMisses;
            double byMemory = totalPss == 0 ? 0 : (1 - missPart) * Held(processes[row]) / totalPss;
            if (byMisses + byMemory > 0)
            {
                ref Leaf leaf = ref _leaves.Add();
                leaf.Owner = processes[row].Kernel ? Leaf.SystemOwner : row;
                leaf.Run = -1;
                leaf.CpuIndex = -1;
                leaf.Weight = byMisses + byMemory;
                leaf.Time = leaf.Weight;
            }
        }
    }

    private static double Held(in ProcessRow process) => process.Pid == 0 || process.Ended || process.PssKibibytes < 0 ? 0 : process.PssKibibytes;
}
