namespace Keck.Metering;

/// <summary>One owner's sums on the meter at hand.</summary>
internal struct OwnerSum
{
    internal int Owner;
    internal double Weight;

    /// <summary>Its weight without what has been learned of it.</summary>
    internal double Plain;
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

    /// <summary>Adds leaves to their owners' sums.</summary>
    /// <param name="weights">Each leaf's weight.</param>
    /// <param name="plains">Each leaf's weight without what has been learned.</param>
    /// <param name="times">Each leaf's weight by time alone.</param>
    /// <param name="owners">Each leaf's owner.</param>
    /// <param name="indices">Receives each owner's index.</param>
    internal void Add(ReadOnlySpan<double> weights, ReadOnlySpan<double> plains, ReadOnlySpan<double> times, ReadOnlySpan<int> owners, Span<int> indices)
    {
        plains = plains[..weights.Length];
        times = times[..weights.Length];
        owners = owners[..weights.Length];
        indices = indices[..weights.Length];
        Span<int> indexPlusOne = _indexPlusOne.Items;
        Span<OwnerSum> sums = _sums.Items;
        for (int i = 0; i < weights.Length; i++)
        {
            int index = indexPlusOne[owners[i] + Offset] - 1;
            if (index < 0)
            {
                index = IndexOf(owners[i]);
                sums = _sums.Items;
            }

            indices[i] = index;
            ref OwnerSum sum = ref sums[index];
            sum.Weight += weights[i];
            sum.Plain += plains[i];
            sum.Time += times[i];
        }
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

    /// <summary>Forgets the energies and keeps the weights.</summary>
    internal void ClearEnergies()
    {
        foreach (ref OwnerSum sum in _sums.Items)
        {
            (sum.Active, sum.Proportional) = (0, 0);
        }
    }
}
