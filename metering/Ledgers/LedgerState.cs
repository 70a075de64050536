using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>
/// A ledger as JSON, to be kept over a restart of its agent. Processes are not kept one by one: what they used is with the departed,
/// and with their cgroups, containers, pods and machines, which are.
/// </summary>
public static class LedgerState
{
    internal const long Most = long.MaxValue / 4;
    private const int MostAccounts = 1 << 20;
    private const double MostBound = Most;

    /// <summary>Writes the ledger's members and what the attribution has learned into an object that is open.</summary>
    public static void Write(EnergyLedger ledger, Attributor attributor, Utf8JsonWriter json)
    {
        ledger.Write(json);
        WriteFloors(json, attributor.Floors);
    }

    /// <summary>Name of the member that <see cref="WriteFloors"/> writes.</summary>
    public const string FloorsMember = "floors";

    /// <summary>Writes floors as a member of an object that is open.</summary>
    public static void WriteFloors(Utf8JsonWriter json, ImmutableSortedDictionary<string, StaticFloorState> floors) => TraceHeaderWriter.WriteFloors(json, floors);

    /// <summary>Writes one floor as an object.</summary>
    public static void WriteFloor(Utf8JsonWriter json, string meter, in StaticFloorState floor) => TraceHeaderWriter.WriteFloor(json, meter, floor);

    /// <summary>Reads one floor.</summary>
    /// <exception cref="TraceFormatException">It is none.</exception>
    public static StaticFloorState ReadFloor(JsonElement element)
    {
        TraceFields.RequireObject(element, "a floor");
        return TraceHeaderReader.ReadFloor(element);
    }

    /// <summary>Reads what the attribution had learned.</summary>
    /// <exception cref="TraceFormatException">It is not such.</exception>
    public static ImmutableSortedDictionary<string, StaticFloorState> ReadFloors(JsonElement element) => TraceHeaderReader.ReadFloors(element);

    /// <summary>Reads a ledger that was written so.</summary>
    /// <param name="element">The object.</param>
    /// <param name="epoch">The epoch it goes on under; null to keep its own.</param>
    /// <exception cref="TraceFormatException">It is not such a ledger.</exception>
    public static EnergyLedger Read(JsonElement element, Guid? epoch)
    {
        TraceFields.RequireObject(element, "the ledger");
        Guid own = Guid.TryParse(TraceFields.Text(element, "epoch"u8), out Guid parsed) ? parsed : throw new TraceFormatException("epoch is no UUID");
        EnergyLedger ledger = new(epoch ?? own);
        ledger.Read(element);
        return ledger;
    }

    internal static void Write(Utf8JsonWriter json, in MeterShares sum)
    {
        json.WriteNumber("totalMicrojoules"u8, sum.Total);
        json.WriteNumber("below"u8, sum.Below);
        json.WriteNumber("above"u8, sum.Above);
        json.WriteNumber("static"u8, sum.Static);
        json.WriteNumber("systemActive"u8, sum.SystemActive);
        json.WriteNumber("systemProportional"u8, sum.SystemProportional);
        json.WriteNumber("unattributedActive"u8, sum.UnattributedActive);
        json.WriteNumber("unattributedProportional"u8, sum.UnattributedProportional);
        json.WriteNumber("overhead"u8, sum.Overhead);
        json.WriteNumber("idleSeparate"u8, sum.IdleSeparate);
        json.WriteNumber("idleProportional"u8, sum.IdleProportional);
        json.WriteNumber("idleAllocated"u8, sum.IdleAllocated);
        Write(json, "systemBounds"u8, sum.SystemBounds);
        Write(json, "unattributedBounds"u8, sum.UnattributedBounds);
        Write(json, "idleBounds"u8, sum.IdleBounds);
    }

    internal static MeterShares ReadShares(JsonElement item)
    {
        MeterShares sum = ReadAmounts(item);
        sum.SystemBounds = ReadBounds(item, "systemBounds"u8, sum.SystemActive, sum.Total);
        sum.UnattributedBounds = ReadBounds(item, "unattributedBounds"u8, sum.UnattributedActive, sum.Total);
        sum.IdleBounds = ReadBounds(item, "idleBounds"u8, sum.IdleSeparate, sum.Total);
        return sum;
    }

    private static MeterShares ReadAmounts(JsonElement item) => new()
    {
        Total = Amount(item, "totalMicrojoules"u8),
        Below = Amount(item, "below"u8),
        Above = Amount(item, "above"u8),
        Static = Amount(item, "static"u8),
        SystemActive = Amount(item, "systemActive"u8),
        SystemProportional = Amount(item, "systemProportional"u8),
        UnattributedActive = Amount(item, "unattributedActive"u8),
        UnattributedProportional = Amount(item, "unattributedProportional"u8),
        Overhead = Amount(item, "overhead"u8),
        IdleSeparate = Amount(item, "idleSeparate"u8),
        IdleProportional = Amount(item, "idleProportional"u8),
        IdleAllocated = Amount(item, "idleAllocated"u8),
    };

    internal static long Amount(JsonElement item, ReadOnlySpan<byte> name) => TraceFields.LongOrNull(item, name, 0, Most) ?? 0;

    /// <summary>Writes bounds as three members.</summary>
    internal static void Write(Utf8JsonWriter json, in BoundSample bounds)
    {
        json.WriteNumber("boundBelow"u8, bounds.SystematicBelow);
        json.WriteNumber("boundAbove"u8, bounds.SystematicAbove);
        json.WriteNumber("boundRandomSquare"u8, bounds.RandomSquare);
    }

    internal static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, in BoundSample bounds)
    {
        json.WriteStartObject(name);
        Write(json, bounds);
        json.WriteEndObject();
    }

    /// <summary>Reads bounds of a part of a meter's energy; where a state of an earlier version has none, anything between nothing and all of it.</summary>
    internal static BoundSample ReadBounds(JsonElement owner, ReadOnlySpan<byte> name, long part, long total) => TraceFields.TryGet(owner, name, out JsonElement item)
        ? ReadBounds(item.ValueKind == JsonValueKind.Object ? item : throw new TraceFormatException($"{System.Text.Encoding.UTF8.GetString(name)} is no object"))
        : new BoundSample { SystematicBelow = part, SystematicAbove = Math.Max(0, total - part) };

    internal static BoundSample ReadBounds(JsonElement item) => new()
    {
        SystematicBelow = TraceFields.DoubleOrNull(item, "boundBelow"u8, 0, MostBound) ?? 0,
        SystematicAbove = TraceFields.DoubleOrNull(item, "boundAbove"u8, 0, MostBound) ?? 0,
        RandomSquare = TraceFields.DoubleOrNull(item, "boundRandomSquare"u8, 0, MostBound * MostBound) ?? 0,
    };

    internal static JsonElement.ArrayEnumerator Items(JsonElement owner, ReadOnlySpan<byte> name) => TraceFields.Array(owner, name, MostAccounts);

    /// <summary>Whole numbers of an array, each from <paramref name="least"/> up.</summary>
    internal static ImmutableArray<long> Numbers(JsonElement owner, ReadOnlySpan<byte> name, long least = 0)
    {
        List<long> numbers = [];
        foreach (JsonElement item in Items(owner, name))
        {
            numbers.Add(item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out long number) && number >= least && number <= Most
                ? number
                : throw new TraceFormatException($"{System.Text.Encoding.UTF8.GetString(name)} holds something else than whole numbers"));
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(numbers.ToArray());
    }
}
