namespace Keck.Metering;

/// <summary>What one process's threads used in a tick.</summary>
internal struct UsageSum
{
    internal long Nanoseconds;
    internal long Instructions;
    internal long LlcMisses;

    /// <summary>Whether the counters of any of its threads are known.</summary>
    internal bool Counted;
    internal bool Open;
}

/// <summary>A tick's usage by process row, so that accounts are booked once for each process, not for each thread.</summary>
internal sealed class UsageSums
{
    private readonly Column<UsageSum> _sums = new();
    private readonly Column<int> _touched = new();

    /// <summary>Processes that ran, in the order of their first thread.</summary>
    internal Span<int> Touched => _touched.Items;

    internal void Begin(int processLimit)
    {
        _touched.Clear();
        _sums.Resize(Math.Max(_sums.Count, processLimit));
    }

    internal void Add(int process, long nanoseconds, in ThreadSample thread)
    {
        ref UsageSum sum = ref _sums[process];
        if (!sum.Open)
        {
            sum.Open = true;
            _touched.Add() = process;
        }

        sum.Nanoseconds += nanoseconds;
        if (thread.Instructions >= 0 && thread.LlcMisses >= 0)
        {
            sum.Counted = true;
            sum.Instructions += thread.Instructions;
            sum.LlcMisses += thread.LlcMisses;
        }
    }

    /// <summary>Whether a process's usage was taken already.</summary>
    internal bool Taken(int process) => !_sums[process].Open;

    /// <summary>A process's usage, once; zero for one that did not run.</summary>
    internal UsageSum Take(int process)
    {
        ref UsageSum sum = ref _sums[process];
        UsageSum taken = sum;
        sum = default;
        return taken;
    }
}
