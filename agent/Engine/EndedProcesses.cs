using Keck.Metering;
using Keck.Workloads;

namespace Keck.Agent;

/// <summary>
/// Processes that ended, oldest first: each stays until a reader has taken a snapshot after its end, or it is too old, or
/// there are too many. Threads whose rows outlive their process keep it.
/// </summary>
internal sealed class EndedProcesses(EngineOptions options)
{
    // A scan of the table costs a few µs per thousand processes: once a second is soon enough.
    private const long ScanNanoseconds = 1_000_000_000;

    private readonly Queue<(int Process, int Pid, long StartNanoseconds, long EndNanoseconds)> _queue = new();
    private readonly Column<bool> _queued = new();
    private long _nextScan;
    private int _limit = options.EndedProcessLimit;

    /// <inheritdoc cref="EngineOptions.EndedProcessLimit"/>
    internal int Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Processes let go only because there were too many.</summary>
    internal long Dropped { get; private set; }

    /// <summary>Notes the processes that ended since the last look.</summary>
    internal void Collect(ProcessTable processes, long nowNanoseconds)
    {
        if (nowNanoseconds < _nextScan)
        {
            return;
        }

        _nextScan = nowNanoseconds + ScanNanoseconds;
        Span<ProcessRow> rows = processes.Rows;
        _queued.Resize(Math.Max(_queued.Count, rows.Length));
        for (int row = 0; row < rows.Length; row++)
        {
            if (rows[row].Pid != 0 && rows[row].Ended && !_queued[row])
            {
                _queued[row] = true;
                _queue.Enqueue((row, rows[row].Pid, rows[row].StartNanoseconds, nowNanoseconds));
            }
        }
    }

    /// <summary>The next process that may go.</summary>
    /// <param name="nowNanoseconds">End of this tick.</param>
    /// <param name="seenNanoseconds">End of the newest tick that a reader has seen.</param>
    /// <param name="processes">The table: a process that turned out to live on stays in it.</param>
    /// <param name="process">Its row.</param>
    internal bool TryLetGo(long nowNanoseconds, long seenNanoseconds, ProcessTable processes, out int process)
    {
        process = -1;
        while (_queue.TryPeek(out (int Process, int Pid, long StartNanoseconds, long EndNanoseconds) first)
            && !(processes[first.Process].Ended && processes[first.Process].LiveThreads == 0 && processes[first.Process].Pid == first.Pid && processes[first.Process].StartNanoseconds == first.StartNanoseconds))
        {
            _queued[first.Process] = false;
            _ = _queue.Dequeue();
        }

        if (!_queue.TryPeek(out (int Process, int Pid, long StartNanoseconds, long EndNanoseconds) oldest))
        {
            return false;
        }

        bool may = TerminatedRetention.MayRelease(processes[oldest.Process], oldest.EndNanoseconds, seenNanoseconds, nowNanoseconds);
        if (!may && _queue.Count <= Limit)
        {
            return false;
        }

        Dropped += may ? 0 : 1;
        _ = _queue.Dequeue();
        _queued[oldest.Process] = false;
        process = oldest.Process;
        return true;
    }
}
