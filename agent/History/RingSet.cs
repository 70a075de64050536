using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Keck.Agent;

/// <summary>
/// Cumulative values of a bounded number of series at several resolutions. All series share the times of the rows; a cell
/// that was not recorded is <see cref="Missing"/>. A series may have several lanes (values recorded together).
/// </summary>
internal sealed class RingSet
{
    internal const long Missing = long.MinValue;

    /// <summary>Lanes of a long series: active, proportional.</summary>
    internal const int LongLanes = 2;

    /// <summary>Lanes of a recent series: active, proportional, systematic below, above, random square.</summary>
    internal const int RecentLanes = 5;

    private const long Second = 1_000_000_000;

    private readonly ImmutableArray<RingTier> _tiers;
    private readonly int _lanes;
    private readonly int _capacity;
    private readonly long[][] _times;
    private readonly int[] _offsets;
    private readonly int[] _heads;
    private readonly int[] _counts;
    private readonly int _rows;
    private readonly Dictionary<SeriesKey, int> _index;
    private readonly List<Series> _series = [];
    private readonly Stack<int> _free = new();

    internal RingSet(ImmutableArray<RingTier> tiers, int lanes, int capacity)
    {
        _tiers = tiers;
        _lanes = lanes;
        _capacity = capacity;
        _index = [];
        _times = [.. tiers.Select(tier => new long[tier.Rows])];
        _offsets = new int[tiers.Length];
        _heads = new int[tiers.Length];
        _counts = new int[tiers.Length];
        for (int tier = 0; tier < tiers.Length; tier++)
        {
            _offsets[tier] = _rows;
            _rows += tiers[tier].Rows;
        }
    }

    /// <summary>Series held.</summary>
    internal int Count => _index.Count;

    internal bool IsFull => Count >= _capacity;

    internal int Tiers => _tiers.Length;

    /// <summary>Bytes of value storage taken so far; never more than capacity × (lanes + 1) × rows × 8.</summary>
    internal long ValueBytes
    {
        get
        {
            long cells = 0;
            foreach (ref Series series in CollectionsMarshal.AsSpan(_series))
            {
                cells += series.Values.Length + (series.Allocated?.Length ?? 0);
            }

            return cells * sizeof(long);
        }
    }

    internal Dictionary<SeriesKey, int>.KeyCollection Keys => _index.Keys;

    internal ref Series this[int series] => ref CollectionsMarshal.AsSpan(_series)[series];

    internal int StepSeconds(int tier) => _tiers[tier].StepSeconds;

    internal int Find(in SeriesKey key) => _index.TryGetValue(key, out int series) ? series : -1;

    internal int RowCount(int tier) => _counts[tier];

    /// <summary>Time of a row, ns; row 0 is the oldest.</summary>
    internal long TimeOf(int tier, int row) => _times[tier][Slot(tier, row)];

    internal long Value(int series, int lane, int tier, int row) =>
        this[series].Values[(((_offsets[tier] + Slot(tier, row)) * _lanes) + lane)];

    /// <summary>Static energy under <c>allocated</c> in a row: kept for the few kinds that have any, zero for all others.</summary>
    internal long Allocated(int series, int tier, int row) =>
        this[series].Allocated is { } values ? values[_offsets[tier] + Slot(tier, row)] : 0;

    /// <summary>Opens the row of this moment in every resolution: a new one, or the one whose step has not ended.</summary>
    internal void Begin(long nanoseconds)
    {
        for (int tier = 0; tier < _tiers.Length; tier++)
        {
            long step = _tiers[tier].StepSeconds * Second;
            if (_counts[tier] == 0 || nanoseconds / step != _times[tier][_heads[tier]] / step)
            {
                _heads[tier] = _counts[tier] == 0 ? 0 : (_heads[tier] + 1) % _tiers[tier].Rows;
                _counts[tier] = Math.Min(_counts[tier] + 1, _tiers[tier].Rows);
                int cell = (_offsets[tier] + _heads[tier]) * _lanes;
                foreach (ref Series series in CollectionsMarshal.AsSpan(_series))
                {
                    series.Values.AsSpan(cell, _lanes).Fill(Missing);
                    series.Allocated?[cell / _lanes] = Missing;
                }
            }

            _times[tier][_heads[tier]] = nanoseconds;
        }
    }

    /// <summary>The series of a key, added if there is room; -1 if there is none.</summary>
    internal int FindOrAdd(in SeriesKey key, long born)
    {
        if (_index.TryGetValue(key, out int series))
        {
            return series;
        }

        if (IsFull)
        {
            return -1;
        }

        if (!_free.TryPop(out series))
        {
            series = _series.Count;
            _series.Add(new Series { Values = new long[_rows * _lanes] });
        }

        ref Series added = ref this[series];
        added.Key = key;
        added.Born = born;
        added.Values.AsSpan().Fill(Missing);
        if (SeriesKey.IsAllocatedTo(key.Kind))
        {
            (added.Allocated ??= new long[_rows]).AsSpan().Fill(Missing);
        }
        else
        {
            added.Allocated = null;
        }

        _index.Add(key, series);
        return series;
    }

    internal void Set(int series, int lane, long value)
    {
        long[] values = this[series].Values;
        for (int tier = 0; tier < _tiers.Length; tier++)
        {
            values[((_offsets[tier] + _heads[tier]) * _lanes) + lane] = value;
        }
    }

    internal void SetAllocated(int series, long value)
    {
        if (this[series].Allocated is { } values)
        {
            for (int tier = 0; tier < _tiers.Length; tier++)
            {
                values[_offsets[tier] + _heads[tier]] = value;
            }
        }
    }

    internal void Remove(int series)
    {
        _ = _index.Remove(this[series].Key);
        this[series].Key = default;
        this[series].Name = null;
        _free.Push(series);
    }

    internal void Clear()
    {
        Array.Clear(_counts);
        _index.Clear();
        _free.Clear();
        for (int series = _series.Count - 1; series >= 0; series--)
        {
            this[series].Key = default;
            this[series].Name = null;
            _free.Push(series);
        }
    }

    /// <summary>The same series in another size: of each resolution that both have the newest rows, of the series the first that find room.</summary>
    internal RingSet Resized(ImmutableArray<RingTier> tiers, int capacity, IEnumerable<SeriesKey> best)
    {
        RingSet resized = new(tiers, _lanes, capacity);
        int[] sources = new int[tiers.Length];
        for (int tier = 0; tier < tiers.Length; tier++)
        {
            int source = sources[tier] = IndexOf(tiers[tier].StepSeconds);
            int rows = source < 0 ? 0 : Math.Min(_counts[source], tiers[tier].Rows);
            resized._counts[tier] = rows;
            resized._heads[tier] = Math.Max(0, rows - 1);
            for (int row = 0; row < rows; row++)
            {
                resized._times[tier][row] = TimeOf(source, _counts[source] - rows + row);
            }
        }

        foreach (SeriesKey key in best)
        {
            int from = Find(key);
            int to = from < 0 ? -1 : resized.FindOrAdd(key, this[from].Born);
            if (to >= 0)
            {
                CopyTo(resized, sources, from, to);
            }
        }

        return resized;
    }

    /// <summary>The newest row at or before a moment, or -1 where the tier begins later.</summary>
    internal int RowAt(int tier, long nanoseconds)
    {
        int low = 0;
        int high = _counts[tier];
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (TimeOf(tier, middle) <= nanoseconds)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    /// <summary>The finest tier that reaches back to a moment, else the one that reaches back furthest.</summary>
    internal int TierFor(long nanoseconds)
    {
        int best = 0;
        for (int tier = 0; tier < _tiers.Length; tier++)
        {
            if (_counts[tier] > 0 && TimeOf(tier, 0) <= nanoseconds)
            {
                return tier;
            }

            if (_counts[tier] > 0 && TimeOf(tier, 0) < TimeOf(best, 0))
            {
                best = tier;
            }
        }

        return best;
    }

    private int IndexOf(int stepSeconds)
    {
        for (int tier = 0; tier < _tiers.Length; tier++)
        {
            if (_tiers[tier].StepSeconds == stepSeconds)
            {
                return tier;
            }
        }

        return -1;
    }

    private void CopyTo(RingSet resized, int[] sources, int from, int to)
    {
        Series series = this[from];
        resized[to] = series with { Values = resized[to].Values, Allocated = resized[to].Allocated };
        for (int tier = 0; tier < sources.Length; tier++)
        {
            for (int row = 0; row < resized._counts[tier]; row++)
            {
                int source = (_offsets[sources[tier]] + Slot(sources[tier], _counts[sources[tier]] - resized._counts[tier] + row)) * _lanes;
                series.Values.AsSpan(source, _lanes).CopyTo(resized[to].Values.AsSpan((resized._offsets[tier] + row) * _lanes));
                if (series.Allocated is { } values)
                {
                    resized[to].Allocated![resized._offsets[tier] + row] = values[source / _lanes];
                }
            }
        }
    }

    private int Slot(int tier, int row)
    {
        int slot = _heads[tier] - _counts[tier] + 1 + row;
        return slot < 0 ? slot + _tiers[tier].Rows : slot;
    }

    internal struct Series
    {
        internal SeriesKey Key;
        internal string? Name;
        internal long[] Values;

        /// <summary>Of the kinds that may have static energy allocated to them, else null: one cell a row.</summary>
        internal long[]? Allocated;

        /// <summary>When it was first seen, ns: before that its value was zero within the epoch.</summary>
        internal long Born;

        /// <summary>When it was last recorded, ns.</summary>
        internal long LastSeen;

        /// <summary>Active energy of the last minute, µJ: the rank of a consumer.</summary>
        internal long Rank;
    }
}
