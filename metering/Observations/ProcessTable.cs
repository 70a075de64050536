using System.Runtime.InteropServices;

namespace Keck.Metering;

/// <summary>
/// The processes known, by row: alive ones, and ended ones until the ledger lets go of them. Owned by the tick loop's thread.
/// </summary>
public sealed class ProcessTable
{
    private readonly Column<ProcessRow> _rows = new();
    private readonly Stack<int> _free = new();
    private readonly Dictionary<(int Pid, long Start), int> _byIdentity = [];
    private readonly Dictionary<int, int> _newestByPid = [];

    /// <summary>Rows, free ones included (<see cref="ProcessRow.Pid"/> is 0 there).</summary>
    public Span<ProcessRow> Rows => _rows.Items;

    /// <summary>Processes held.</summary>
    public int Count => _byIdentity.Count;

    /// <summary>One row, to read or change in place.</summary>
    public ref ProcessRow this[int row] => ref _rows[row];

    /// <summary>The row of a process, or -1.</summary>
    public int Find(int pid, long startNanoseconds) => _byIdentity.TryGetValue((pid, startNanoseconds), out int row) ? row : -1;

    /// <summary>The row of the newest process with this pid, or -1.</summary>
    public int FindNewest(int pid) => _newestByPid.TryGetValue(pid, out int row) ? row : -1;

    /// <summary>The row of a process, added if new.</summary>
    public int FindOrAdd(int pid, long startNanoseconds, string name, bool kernel)
    {
        ref int known = ref CollectionsMarshal.GetValueRefOrAddDefault(_byIdentity, (pid, startNanoseconds), out bool exists);
        if (exists)
        {
            return known;
        }

        // A free row may have been given away by Place since.
        int row;
        do
        {
            if (!_free.TryPop(out row))
            {
                row = _rows.Count;
                _ = _rows.Add();
            }
        }
        while (_rows[row].Pid != 0);

        known = row;
        Fill(row, pid, startNanoseconds, name, kernel);
        return row;
    }

    /// <summary>Adds a process at a given row, which must be free: a trace keeps the rows, since the order of rows decides ties.</summary>
    internal void Place(int row, int pid, long startNanoseconds, string name, bool kernel)
    {
        for (int gap = _rows.Count; gap < row; gap++)
        {
            _free.Push(gap);
        }

        _rows.Resize(Math.Max(_rows.Count, row + 1));
        if (_free.Count > _rows.Count + 1024)
        {
            DropGivenAway();
        }

        _byIdentity.Add((pid, startNanoseconds), row);
        Fill(row, pid, startNanoseconds, name, kernel);
    }

    private void DropGivenAway()
    {
        _free.Clear();
        for (int row = _rows.Count - 1; row >= 0; row--)
        {
            if (_rows[row].Pid == 0)
            {
                _free.Push(row);
            }
        }
    }

    private void Fill(int row, int pid, long startNanoseconds, string name, bool kernel)
    {
        _newestByPid[pid] = row;
        _rows[row] = new ProcessRow
        {
            Pid = pid,
            StartNanoseconds = startNanoseconds,
            Name = name,
            Kernel = kernel,
            PssKibibytes = Unobserved.Value,
            Machine = -1,
            Changed = true,
        };
    }

    /// <summary>Frees a row: the process is gone and every outlet has seen it.</summary>
    public void Release(int row)
    {
        ref ProcessRow process = ref _rows[row];
        _ = _byIdentity.Remove((process.Pid, process.StartNanoseconds));
        if (_newestByPid.TryGetValue(process.Pid, out int newest) && newest == row)
        {
            _ = _newestByPid.Remove(process.Pid);
        }

        process = default;
        _free.Push(row);
    }
}
