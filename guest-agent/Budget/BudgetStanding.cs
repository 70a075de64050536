using System.Text.Json;

namespace Keck.Guest;

/// <summary>Where one of a host's counters stood at its last word.</summary>
/// <param name="Name">Which, such as <c>vcpu-0</c>.</param>
/// <param name="Microjoules">The host's figure, µJ.</param>
/// <param name="Low">Its lower bound, µJ.</param>
/// <param name="High">Its upper bound, µJ.</param>
internal readonly record struct BudgetStanding(string Name, long Microjoules, long Low, long High)
{
    /// <summary>Writes it.</summary>
    internal void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("counter"u8, Name);
        json.WriteNumber("microjoules"u8, Microjoules);
        json.WriteNumber("low"u8, Low);
        json.WriteNumber("high"u8, High);
        json.WriteEndObject();
    }

    /// <summary>Reads it; null where it is not to be understood.</summary>
    internal static BudgetStanding? Read(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object
        && item.TryGetProperty("counter"u8, out JsonElement name) && name.ValueKind == JsonValueKind.String
        && item.TryGetProperty("microjoules"u8, out JsonElement value) && value.TryGetInt64(out long energy) && energy >= 0
        && item.TryGetProperty("low"u8, out JsonElement below) && below.TryGetInt64(out long low)
        && item.TryGetProperty("high"u8, out JsonElement above) && above.TryGetInt64(out long high)
            ? new BudgetStanding(name.GetString()!, energy, low, high)
            : null;
}
