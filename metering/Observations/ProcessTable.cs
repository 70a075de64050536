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

        if (!_free.TryPop(out int row))
        {
            row = _rows.Count;
            _ = _rows.Add();
        }

        known = row;
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
        return row;
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
