namespace Keck.Metering;

/// <summary>The virtual machines that <see cref="ProcessRow.Machine"/> refers to by index; machines are never removed.</summary>
public sealed class TraceMachines
{
    private readonly List<TraceMachine> _machines = [];
    private readonly Dictionary<string, int> _byUuid = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count => _machines.Count;

    /// <summary>One machine.</summary>
    public TraceMachine this[int index] => _machines[index];

    /// <summary>Adds a machine, or replaces what is known of it.</summary>
    /// <returns>Its index.</returns>
    public int Set(TraceMachine machine)
    {
        if (_byUuid.TryGetValue(machine.Uuid, out int index))
        {
            _machines[index] = machine;
            return index;
        }

        _byUuid.Add(machine.Uuid, _machines.Count);
        _machines.Add(machine);
        return _machines.Count - 1;
    }

    /// <summary>The index of a machine, added without particulars if new.</summary>
    public int FindOrAdd(string uuid) => _byUuid.TryGetValue(uuid, out int index) ? index : Set(new TraceMachine(uuid));
}
