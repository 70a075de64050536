using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Keck.Metering;

/// <summary>The runs of ticks in which a slow meter was not read: its next reading covers them too.</summary>
internal sealed class SpanWeights
{
    /// <summary>
    /// Parts held at most: a meter may be silent for hours while processes come and go. Whoever comes after shares in the next reading as
    /// <c>unattributed</c>.
    /// </summary>
    internal const int MostParts = 1 << 16;

    private readonly Dictionary<(int Owner, long Start, int Zone), (double Weight, double Time)> _byOwner = [];
    private readonly int _mostParts;

    internal SpanWeights(int mostParts = MostParts) => _mostParts = mostParts;

    /// <summary>Length of the ticks held, ns.</summary>
    internal long Nanoseconds { get; set; }

    /// <summary>Busy time of the meter's CPUs in them, ns.</summary>
    internal double Busy { get; set; }

    /// <summary>CPU time available in them, ns.</summary>
    internal double Capacity { get; set; }

    /// <summary>How many parts are held.</summary>
    internal int Count => _byOwner.Count;

    /// <summary>Runs that found no room and are held without their owner, since the agent started.</summary>
    internal long Overflowed { get; private set; }

    /// <summary>What is held, in the order it was first held in: the split's ties depend on it.</summary>
    internal ImmutableArray<SpanPart> Parts
    {
        get => [.. _byOwner.Select(held => new SpanPart(held.Key.Owner, held.Key.Start, held.Key.Zone, held.Value.Weight, held.Value.Time))];
        set
        {
            _byOwner.Clear();
            foreach (SpanPart part in value)
            {
                Add(part.Owner, part.StartNanoseconds, part.Zone, part.Weight, part.Time);
            }
        }
    }

    internal void Add(int owner, int zone, double weight, double time, ProcessTable processes) =>
        Add(owner, owner >= 0 ? processes[owner].StartNanoseconds : 0, zone, weight, time);

    private void Add(int owner, long start, int zone, double weight, double time)
    {
        if (_byOwner.Count >= _mostParts && owner >= 0 && !_byOwner.ContainsKey((owner, start, zone)))
        {
            Overflowed++;
            (owner, start) = (Leaf.UnattributedOwner, 0);
        }

        ref (double Weight, double Time) held = ref CollectionsMarshal.GetValueRefOrAddDefault(_byOwner, (owner, start, zone), out _);
        held.Weight += weight;
        held.Time += time;
    }

    /// <summary>Turns what is held into leaves. A process that has left its row since has no account to book on: its part is unattributed.</summary>
    internal void MoveTo(LeafColumns leaves, ProcessTable processes)
    {
        foreach (((int owner, long start, _), (double weight, double time)) in _byOwner)
        {
            bool left = owner >= processes.Rows.Length || (owner >= 0 && (processes[owner].Pid == 0 || processes[owner].StartNanoseconds != start));
            leaves.Add(left ? Leaf.UnattributedOwner : owner, weight, weight, time);
        }

        Drop();
    }

    /// <summary>Forgets what is held.</summary>
    internal void Drop()
    {
        _byOwner.Clear();
        (Nanoseconds, Busy, Capacity) = (0, 0, 0);
    }
}
