using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Keck.Metering;

/// <summary>The runs of ticks in which a slow meter was not read: its next reading covers them too.</summary>
internal sealed class SpanWeights
{
    private readonly Dictionary<(int Owner, long Start, int Zone), (double Weight, double Time)> _byOwner = [];

    /// <summary>Length of the ticks held, ns.</summary>
    internal long Nanoseconds { get; set; }

    /// <summary>Busy time of the meter's CPUs in them, ns.</summary>
    internal double Busy { get; set; }

    /// <summary>CPU time available in them, ns.</summary>
    internal double Capacity { get; set; }

    /// <summary>What is held, in the order it was first held in: the split's ties depend on it.</summary>
    internal ImmutableArray<SpanPart> Parts
    {
        get => [.. _byOwner.Select(held => new SpanPart(held.Key.Owner, held.Key.Start, held.Key.Zone, held.Value.Weight, held.Value.Time))];
        set
        {
            _byOwner.Clear();
            foreach (SpanPart part in value)
            {
                _byOwner[(part.Owner, part.StartNanoseconds, part.Zone)] = (part.Weight, part.Time);
            }
        }
    }

    internal void Add(in Leaf leaf, ProcessTable processes)
    {
        long start = leaf.Owner >= 0 ? processes[leaf.Owner].StartNanoseconds : 0;
        ref (double Weight, double Time) held = ref CollectionsMarshal.GetValueRefOrAddDefault(_byOwner, (leaf.Owner, start, leaf.Zone), out _);
        held.Weight += leaf.Weight;
        held.Time += leaf.Time;
    }

    /// <summary>Turns what is held into leaves. A process that has left its row since has no account to book on: its part is unattributed.</summary>
    internal void MoveTo(Column<Leaf> leaves, ProcessTable processes)
    {
        foreach (((int owner, long start, int zone), (double weight, double time)) in _byOwner)
        {
            ref Leaf leaf = ref leaves.Add();
            leaf.Owner = owner >= processes.Rows.Length || (owner >= 0 && (processes[owner].Pid == 0 || processes[owner].StartNanoseconds != start))
                ? Leaf.UnattributedOwner
                : owner;
            leaf.Zone = zone;
            leaf.Run = -1;
            leaf.CpuIndex = -1;
            leaf.Weight = weight;
            leaf.Time = time;
        }

        _byOwner.Clear();
        (Nanoseconds, Busy, Capacity) = (0, 0, 0);
    }
}
