using System.Text.Json;

namespace Keck.Agent;

/// <summary>Members of the API's documents; an absent one is null, as unknown is absent.</summary>
internal static class JsonMembers
{
    internal static double? Number(this JsonElement element, string name) =>
        element.Has(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    internal static long? Whole(this JsonElement element, string name) =>
        element.Has(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long whole) ? whole : null;

    internal static string? Text(this JsonElement element, string name) =>
        element.Has(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    internal static bool True(this JsonElement element, string name) =>
        element.Has(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    internal static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.Has(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    // A document may be anything that is JSON: only an object has members.
    private static bool Has(this JsonElement element, string name, out JsonElement value)
    {
        value = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out value);
    }
}
