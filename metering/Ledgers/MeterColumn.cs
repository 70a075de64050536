using System.Text.Json;

namespace Keck.Metering;

/// <summary>One meter's running totals.</summary>
internal sealed class MeterColumn(Meter meter)
{
    private MeterTotals _totals = new() { Meter = meter };
    private MeterShares _sum;
    private long _readings;
    private long _departedActive;
    private long _departedProportional;
    private long _departedAllocated;
    private BoundSample _departedBounds;

    internal Meter Meter { get; } = meter;

    /// <summary>The totals as a value of their own.</summary>
    internal MeterTotals Totals => _totals = _totals with
    {
        Total = _sum.Total,
        Static = _sum.Static,
        SystemActive = _sum.SystemActive,
        SystemProportional = _sum.SystemProportional,
        UnattributedActive = _sum.UnattributedActive,
        UnattributedProportional = _sum.UnattributedProportional,
        Below = _sum.Below,
        Above = _sum.Above,
        Overhead = _sum.Overhead,
        IdleSeparate = _sum.IdleSeparate,
        IdleProportional = _sum.IdleProportional,
        IdleAllocated = _sum.IdleAllocated,
        DepartedActive = _departedActive,
        DepartedProportional = _departedProportional,
        DepartedAllocated = _departedAllocated,
        SystemBounds = _sum.SystemBounds,
        UnattributedBounds = _sum.UnattributedBounds,
        IdleBounds = _sum.IdleBounds,
        DepartedBounds = _departedBounds,
        Readings = _readings,
    };

    /// <summary>Writes the column, with what processes hold counted among the departed.</summary>
    internal void Write(Utf8JsonWriter json, in AccountEnergy processes, BoundSample bounds)
    {
        bounds.Add(_departedBounds);
        json.WriteStartObject();
        LedgerState.Write(json, _sum);
        json.WriteNumber("departedActive"u8, _departedActive + processes.Active);
        json.WriteNumber("departedProportional"u8, _departedProportional + processes.Proportional);
        json.WriteNumber("departedAllocated"u8, _departedAllocated);
        LedgerState.Write(json, "departedBounds"u8, bounds);
        json.WriteNumber("readings"u8, _readings);
        json.WriteEndObject();
    }

    internal void Read(JsonElement item)
    {
        _sum = LedgerState.ReadShares(item);
        _departedActive = LedgerState.Amount(item, "departedActive"u8);
        _departedProportional = LedgerState.Amount(item, "departedProportional"u8);
        _departedAllocated = LedgerState.Amount(item, "departedAllocated"u8);
        _departedBounds = LedgerState.ReadBounds(item, "departedBounds"u8, _departedActive, _sum.Total);
        _readings = LedgerState.Amount(item, "readings"u8);
    }

    internal void Add(in MeterShares shares)
    {
        if (!shares.Observed)
        {
            return;
        }

        _readings++;
        _sum.Total += shares.Total;
        _sum.Static += shares.Static;
        _sum.SystemActive += shares.SystemActive;
        _sum.SystemProportional += shares.SystemProportional;
        _sum.UnattributedActive += shares.UnattributedActive;
        _sum.UnattributedProportional += shares.UnattributedProportional;
        _sum.Below += shares.Below;
        _sum.Above += shares.Above;
        _sum.Overhead += shares.Overhead;
        _sum.IdleSeparate += shares.IdleSeparate;
        _sum.IdleProportional += shares.IdleProportional;
        _sum.IdleAllocated += shares.IdleAllocated;
        _sum.SystemBounds.Add(shares.SystemBounds);
        _sum.UnattributedBounds.Add(shares.UnattributedBounds);
        _sum.IdleBounds.Add(shares.IdleBounds);
    }

    internal void Depart(long active, long proportional, in BoundSample bounds)
    {
        _departedBounds.Add(bounds);
        _departedActive += active;
        _departedProportional += proportional;
    }

    internal void DepartAllocated(long allocated) => _departedAllocated += allocated;
}
