namespace Keck.Metering;

/// <summary>One owner's sums on the meter at hand.</summary>
internal struct OwnerSum
{
    internal int Owner;
    internal double Weight;
    internal double Time;
    internal long Active;
    internal long Proportional;
}

/// <summary>Leaves gathered by owner, found by a table over process rows; owners in the order of their first leaf.</summary>
internal sealed class OwnerSums
{
    // Owners below zero (system, unattributed) come first in the table.
    private const int Offset = 2;

    private readonly Column<OwnerSum> _sums = new();
    private readonly Column<int> _indexPlusOne = new();

    internal int Count => _sums.Count;

    internal Span<OwnerSum> Items => _sums.Items;

    internal ref OwnerSum this[int index] => ref _sums[index];

    internal void Begin(int processLimit)
    {
        foreach (ref OwnerSum sum in _sums.Items)
        {
            _indexPlusOne[sum.Owner + Offset] = 0;
        }

        _sums.Clear();
        if (_indexPlusOne.Count < processLimit + Offset)
        {
            _indexPlusOne.Resize(processLimit + Offset);
        }
    }

    /// <summary>Adds a leaf to its owner's sums.</summary>
    /// <returns>The owner's index.</returns>
    internal int Add(in Leaf leaf)
    {
        int index = IndexOf(leaf.Owner);
        ref OwnerSum sum = ref _sums[index];
        sum.Weight += leaf.Weight;
        sum.Time += leaf.Time;
        return index;
    }

    internal int IndexOf(int owner)
    {
        ref int known = ref _indexPlusOne[owner + Offset];
        if (known == 0)
        {
            _sums.Add().Owner = owner;
            known = _sums.Count;
        }

        return known - 1;
    }
}
