using System.Runtime.InteropServices;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>One owner on one CPU.</summary>
internal struct Cell
{
    /// <summary>A process row, or one of <see cref="Cells"/>' other owners.</summary>
    internal int Owner;
    internal int Cpu;
    internal long Microjoules;
    internal long Nanoseconds;
    internal long KiloCycles;

    /// <summary>Of processes, as far as counted.</summary>
    internal long Instructions;

    /// <summary>Of processes, as far as counted.</summary>
    internal long LlcMisses;
}

/// <summary>Of a cell, what a tick does not need.</summary>
internal struct CellPlace
{
    internal int Package;

    /// <summary>The owner's next cell; -1 at the end.</summary>
    internal int Next;
}

/// <summary>Cumulative energy by (owner, CPU): the matrix is sparse, so cells exist where somebody ran.</summary>
internal sealed class Cells
{
    /// <summary>Owner of what processes let go had used.</summary>
    internal const int DepartedOwner = -3;
    private const int Offset = 3;

    private readonly Column<Cell> _cells = new();
    private readonly Column<CellPlace> _places = new();
    private readonly Column<int> _firstPlusOne = new();
    private readonly Dictionary<(int Owner, int Package, int Cpu), int> _index = [];
    private readonly Stack<int> _free = new();
    private readonly Dictionary<(int Owner, int Package, int Cpu), Cell> _merged = [];

    /// <summary>Every cell, free ones included (their owner is <see cref="int.MinValue"/>).</summary>
    internal Span<Cell> Items => _cells.Items;

    /// <summary>The package whose meters a cell's energy comes from; -1 for meters of the whole machine.</summary>
    internal int Package(int index) => _places[index].Package;

    /// <summary>How many are in use.</summary>
    internal int InUse => _cells.Count - _free.Count;

    internal ref Cell this[int index] => ref _cells[index];

    /// <summary>The owner's cell on a CPU, made if new.</summary>
    internal int Find(int owner, int package, int cpu)
    {
        ref int found = ref CollectionsMarshal.GetValueRefOrAddDefault(_index, (owner, package, cpu), out bool exists);
        if (exists)
        {
            return found;
        }

        if (!_free.TryPop(out int added))
        {
            added = _cells.Count;
            _ = _cells.Add();
            _ = _places.Add();
        }

        if (_firstPlusOne.Count <= owner + Offset)
        {
            _firstPlusOne.Resize(owner + Offset + 1);
        }

        _cells[added] = new Cell { Owner = owner, Cpu = cpu };
        _places[added] = new CellPlace { Package = package, Next = _firstPlusOne[owner + Offset] - 1 };
        _firstPlusOne[owner + Offset] = added + 1;
        found = added;
        return added;
    }

    /// <summary>Writes the cells, those of processes as what the departed used.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        _merged.Clear();
        for (int index = 0; index < _cells.Count; index++)
        {
            ref Cell cell = ref _cells[index];
            if (cell.Owner != int.MinValue)
            {
                ref Cell merged = ref CollectionsMarshal.GetValueRefOrAddDefault(_merged, (cell.Owner >= 0 ? DepartedOwner : cell.Owner, Package(index), cell.Cpu), out _);
                merged.Microjoules += cell.Microjoules;
                merged.Nanoseconds += cell.Nanoseconds;
                merged.KiloCycles += cell.KiloCycles;
            }
        }

        json.WriteStartArray("cells"u8);
        foreach (((int owner, int package, int cpu), Cell cell) in _merged)
        {
            json.WriteStartArray();
            json.WriteNumberValue(owner);
            json.WriteNumberValue(package);
            json.WriteNumberValue(cpu);
            json.WriteNumberValue(cell.Microjoules);
            json.WriteNumberValue(cell.Nanoseconds);
            json.WriteNumberValue(cell.KiloCycles);
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    internal void Read(JsonElement element)
    {
        foreach (JsonElement item in LedgerState.Items(element, "cells"u8))
        {
            JsonElement[] parts = item.ValueKind == JsonValueKind.Array ? [.. item.EnumerateArray()] : [];
            if (parts.Length != 6 || Array.Exists(parts, part => part.ValueKind != JsonValueKind.Number || !part.TryGetInt64(out _)))
            {
                throw new TraceFormatException("a cell must be six whole numbers: owner, package, CPU, µJ, ns, kilocycles");
            }

            long[] numbers = [.. parts.Select(part => part.GetInt64())];
            if (numbers[0] is < DepartedOwner or >= 0 || numbers[1] is < -1 or > 1023 || numbers[2] is < -1 or > 65_535 || numbers.AsSpan(3).ContainsAnyExceptInRange(0, LedgerState.Most))
            {
                throw new TraceFormatException("a cell's numbers are beyond their limits");
            }

            ref Cell cell = ref _cells[Find((int)numbers[0], (int)numbers[1], (int)numbers[2])];
            (cell.Microjoules, cell.Nanoseconds, cell.KiloCycles) = (numbers[3], numbers[4], numbers[5]);
        }
    }

    /// <summary>Moves what a process used to <see cref="DepartedOwner"/> and frees its cells.</summary>
    internal void Depart(int process)
    {
        if (_firstPlusOne.Count <= process + Offset)
        {
            return;
        }

        int index = _firstPlusOne[process + Offset] - 1;
        _firstPlusOne[process + Offset] = 0;
        while (index >= 0)
        {
            Cell cell = _cells[index];
            CellPlace place = _places[index];
            ref Cell departed = ref _cells[Find(DepartedOwner, place.Package, cell.Cpu)];
            departed.Microjoules += cell.Microjoules;
            departed.Nanoseconds += cell.Nanoseconds;
            departed.KiloCycles += cell.KiloCycles;
            _ = _index.Remove((process, place.Package, cell.Cpu));
            _cells[index] = new Cell { Owner = int.MinValue };
            _free.Push(index);
            index = place.Next;
        }
    }
}
