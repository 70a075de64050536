using System.Collections.Immutable;
using System.Text.Json;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>Adoptions in the saved state.</summary>
internal static class AdoptionJson
{
    /// <summary>Name of the member.</summary>
    internal const string Member = "adoptions";

    /// <summary>Writes them as an array.</summary>
    internal static void Write(Utf8JsonWriter json, ImmutableArray<AdoptionEntry> entries)
    {
        json.WriteStartArray();
        foreach (AdoptionEntry entry in entries)
        {
            json.WriteStartObject();
            json.WriteNumber("number"u8, entry.Id);
            json.WriteString("at"u8, entry.At);
            json.WriteString("cause"u8, Name(entry.Cause));
            json.WriteString("why"u8, entry.Why);
            json.WriteBoolean("undone"u8, entry.Undone);
            json.WritePropertyName("before"u8);
            LedgerState.WriteFloor(json, entry.Meter, entry.Before);
            json.WritePropertyName("after"u8);
            LedgerState.WriteFloor(json, entry.Meter, entry.After);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Reads those of a saved state; none where it has none.</summary>
    /// <exception cref="TraceFormatException">They are malformed.</exception>
    internal static ImmutableArray<AdoptionEntry> Read(JsonElement state)
    {
        if (!state.TryGetProperty(Member, out JsonElement array))
        {
            return [];
        }

        try
        {
            return [.. array.EnumerateArray().Select(ReadOne)];
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new TraceFormatException($"{Member} is malformed: {e.Message}", e);
        }
    }

    /// <summary>A cause as API and state name it, such as <c>idle</c>.</summary>
    internal static string Name(AdoptionCause cause) => JsonNamingPolicy.CamelCase.ConvertName(cause.ToString());

    private static AdoptionEntry ReadOne(JsonElement item)
    {
        JsonElement after = item.GetProperty("after"u8);
        string cause = item.GetProperty("cause"u8).GetString() ?? "";
        return new AdoptionEntry(
            item.GetProperty("number"u8).GetInt64(),
            item.GetProperty("at"u8).GetDateTimeOffset(),
            after.GetProperty("id"u8).GetString() ?? throw new TraceFormatException("an adoption has no meter"),
            Enum.GetValues<AdoptionCause>().Where(one => Name(one) == cause).Select(one => (AdoptionCause?)one).FirstOrDefault() ?? throw new TraceFormatException($"'{cause}' is no cause of an adoption"),
            item.GetProperty("why"u8).GetString() ?? "",
            LedgerState.ReadFloor(item.GetProperty("before"u8)),
            LedgerState.ReadFloor(after),
            item.GetProperty("undone"u8).GetBoolean());
    }
}
