namespace Keck.Metering;

/// <summary>
/// The virtual machines that <see cref="ProcessRow.Machine"/> refers to by index. A machine keeps its index until it is
/// released. Owned by the tick loop's thread.
/// </summary>
public sealed class MachineTable
{
    private readonly List<MachineRow?> _machines = [];
    private readonly Stack<int> _free = new();
    private readonly Dictionary<string, int> _byUuid = new(StringComparer.Ordinal);
    private readonly List<int> _order = [];

    /// <summary>Indices in use are below this.</summary>
    public int Limit => _machines.Count;

    /// <summary>How many machines there are.</summary>
    public int Count => _order.Count;

    /// <summary>The indices in use, by UUID: what depends on an order takes this one, which a replay has too.</summary>
    public IReadOnlyList<int> InOrder => _order;

    /// <summary>Changes whenever a machine does.</summary>
    public long Version { get; private set; }

    /// <summary>One machine; the index must be in use.</summary>
    public MachineRow this[int index] => _machines[index] ?? throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>The machine at an index, or null for one that is free or -1.</summary>
    public MachineRow? At(int index) => unchecked((uint)index) < _machines.Count ? _machines[index] : null;

    /// <summary>The index of a machine, or -1.</summary>
    public int Find(string uuid) => _byUuid.TryGetValue(uuid, out int index) ? index : -1;

    /// <summary>Adds a machine, or replaces what is known of it.</summary>
    /// <returns>Its index.</returns>
    public int Set(MachineRow machine)
    {
        if (_byUuid.TryGetValue(machine.Uuid, out int index))
        {
            if (_machines[index] != machine)
            {
                _machines[index] = machine;
                Version++;
            }

            return index;
        }

        Version++;
        if (!_free.TryPop(out index))
        {
            index = _machines.Count;
            _machines.Add(null);
        }

        _machines[index] = machine;
        _byUuid.Add(machine.Uuid, index);
        int place = _order.FindIndex(other => string.CompareOrdinal(_machines[other]!.Uuid, machine.Uuid) > 0);
        _order.Insert(place < 0 ? _order.Count : place, index);
        return index;
    }

    /// <summary>The index of a machine, added without particulars if new.</summary>
    public int FindOrAdd(string uuid) => _byUuid.TryGetValue(uuid, out int index) ? index : Set(new MachineRow(uuid));

    /// <summary>Frees an index; no process may refer to it.</summary>
    public void Release(int index)
    {
        Version++;
        _ = _byUuid.Remove(this[index].Uuid);
        _ = _order.Remove(index);
        _machines[index] = null;
        _free.Push(index);
    }
}
