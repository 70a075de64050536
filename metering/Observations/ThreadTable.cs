namespace Keck.Metering;

/// <summary>
/// The threads alive, by row. A run source adds a thread when it first sees it and ends it when the kernel says it died;
/// the row is reused only after the tick in which it ended has been attributed. Owned by the tick loop's thread.
/// </summary>
public sealed class ThreadTable
{
    private readonly Column<ThreadRow> _rows = new();
    private readonly Stack<int> _free = new();
    private readonly List<int> _added = [];
    private readonly List<int> _ended = [];

    /// <summary>Rows, free ones included (<see cref="ThreadRow.Tid"/> is 0 there).</summary>
    public Span<ThreadRow> Rows => _rows.Items;

    /// <summary>Threads added in the current tick, those that ended in it included.</summary>
    public IReadOnlyList<int> Added => _added;

    /// <summary>Threads that ended in the current tick; their rows are still valid.</summary>
    public IReadOnlyList<int> Ended => _ended;

    /// <summary>Threads alive or ended in this tick.</summary>
    public int Count => _rows.Count - _free.Count;

    /// <summary>One row, to read or change in place.</summary>
    public ref ThreadRow this[int row] => ref _rows[row];

    /// <summary>Adds a thread; its process is unresolved (-1).</summary>
    /// <returns>Its row.</returns>
    public int Add(in ThreadRow identity)
    {
        if (!_free.TryPop(out int row))
        {
            row = _rows.Count;
            _ = _rows.Add();
        }

        ref ThreadRow added = ref _rows[row];
        added = identity;
        added.Name ??= "";
        added.Process = -1;
        (added.FirstCell, added.LastCell) = (-1, -1);
        _added.Add(row);
        return row;
    }

    /// <summary>Marks a thread as ended in this tick.</summary>
    public void End(int row) => _ended.Add(row);

    /// <summary>Frees the rows of the threads that ended; called when their last tick has been attributed and written.</summary>
    public void ReleaseEnded()
    {
        foreach (int row in _ended)
        {
            _rows[row] = default;
            _free.Push(row);
        }

        _ended.Clear();
        _added.Clear();
    }
}
