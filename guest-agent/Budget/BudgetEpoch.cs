using System.Collections.Immutable;
using System.Text.Json;

namespace Keck.Guest;

/// <summary>An account of this machine at a host, and where its counters stood at that host's last word.</summary>
/// <param name="Epoch">The account, in hexadecimal.</param>
/// <param name="Counters">Its counters.</param>
internal sealed record BudgetEpoch(string Epoch, ImmutableArray<BudgetStanding> Counters)
{
    /// <summary>Writes its members into an object that is open.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        json.WriteString("epoch"u8, Epoch);
        json.WriteStartArray("counters"u8);
        foreach (BudgetStanding counter in Counters)
        {
            counter.Write(json);
        }

        json.WriteEndArray();
    }

    /// <summary>Reads it; null where any of it is not to be understood.</summary>
    internal static BudgetEpoch? Read(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("epoch"u8, out JsonElement epoch) || epoch.ValueKind != JsonValueKind.String
            || !item.TryGetProperty("counters"u8, out JsonElement counters) || counters.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        BudgetStanding?[] read = [.. counters.EnumerateArray().Select(BudgetStanding.Read)];
        return Array.TrueForAll(read, static counter => counter is not null) ? new BudgetEpoch(epoch.GetString()!, [.. read.Select(static counter => counter!.Value)]) : null;
    }
}
