namespace Keck.Metering;

/// <summary>A growable array whose storage is kept between ticks, so that a tick allocates nothing once warm.</summary>
/// <typeparam name="T">A plain struct.</typeparam>
public sealed class Column<T>
    where T : struct
{
    private T[] _items = [];

    /// <summary>How many items are in use.</summary>
    public int Count { get; private set; }

    /// <summary>The items in use.</summary>
    public Span<T> Items => _items.AsSpan(0, Count);

    /// <summary>One item by index, to read or change in place.</summary>
    public ref T this[int index]
    {
        get
        {
            // Storage is kept beyond the count: the array's own check is not enough.
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(unchecked((uint)index), unchecked((uint)Count), nameof(index));
            return ref _items[index];
        }
    }

    /// <summary>Appends a default item and returns it to be filled.</summary>
    public ref T Add()
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Math.Max(16, _items.Length * 2));
        }

        _items[Count] = default;
        return ref _items[Count++];
    }

    /// <summary>Makes the column exactly this long; new items are default, old ones stay.</summary>
    public void Resize(int count)
    {
        if (count > _items.Length)
        {
            Array.Resize(ref _items, Math.Max(count, _items.Length * 2));
        }

        if (count > Count)
        {
            _items.AsSpan(Count, count - Count).Clear();
        }

        Count = count;
    }

    /// <summary>Forgets the items and keeps the storage.</summary>
    public void Clear() => Count = 0;
}
