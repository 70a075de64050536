using System.Text.Json;

namespace Keck.Metering;

/// <summary>Reads members of trace objects within their limits; what is wrong is said with the member's name.</summary>
internal static class TraceFields
{
    internal static bool TryGet(JsonElement owner, ReadOnlySpan<byte> name, out JsonElement value) =>
        owner.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    internal static void RequireObject(JsonElement element, string what)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new TraceFormatException($"{what} must be a JSON object, found {Kind(element)}");
        }
    }

    /// <summary>The items of an array member; none where it is absent.</summary>
    internal static JsonElement.ArrayEnumerator Array(JsonElement owner, ReadOnlySpan<byte> name, int limit = int.MaxValue)
    {
        if (!TryGet(owner, name, out JsonElement value))
        {
            return default;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(name, "an array", value);
        }

        int length = value.GetArrayLength();
        return length <= limit
            ? value.EnumerateArray()
            : throw new TraceFormatException($"{Name(name)} has {length} items, more than the {limit} that replay takes");
    }

    internal static long Long(JsonElement owner, ReadOnlySpan<byte> name, long least, long most) =>
        LongOrNull(owner, name, least, most) ?? throw Missing(name);

    internal static long? LongOrNull(JsonElement owner, ReadOnlySpan<byte> name, long least, long most)
    {
        if (!TryGet(owner, name, out JsonElement value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= least && number <= most
            ? number
            : throw Wrong(name, $"a whole number from {least} to {most}", value);
    }

    internal static int Int(JsonElement owner, ReadOnlySpan<byte> name, int least, int most) => (int)Long(owner, name, least, most);

    internal static int? IntOrNull(JsonElement owner, ReadOnlySpan<byte> name, int least, int most) => (int?)LongOrNull(owner, name, least, most);

    internal static double? DoubleOrNull(JsonElement owner, ReadOnlySpan<byte> name, double least, double most)
    {
        if (!TryGet(owner, name, out JsonElement value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most
            ? number
            : throw Wrong(name, $"a number from {least:R} to {most:R}", value);
    }

    internal static bool? BoolOrNull(JsonElement owner, ReadOnlySpan<byte> name)
    {
        if (!TryGet(owner, name, out JsonElement value))
        {
            return null;
        }

        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, "true or false", value),
        };
    }

    /// <summary>A text member, or null; <paramref name="known"/> itself where it is equal, so that a repeated name allocates nothing.</summary>
    internal static string? TextOrNull(JsonElement owner, ReadOnlySpan<byte> name, string? known = null)
    {
        if (!TryGet(owner, name, out JsonElement value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            throw Wrong(name, "a text", value);
        }

        return known is not null && value.ValueEquals(known) ? known : value.GetString();
    }

    internal static string Text(JsonElement owner, ReadOnlySpan<byte> name, string? known = null) => TextOrNull(owner, name, known) ?? throw Missing(name);

    internal static TraceFormatException Unknown(string member, string value, string known) =>
        new($"{member} \"{Shorten(value)}\" is not known; known are {known}");

    internal static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";

    private static TraceFormatException Missing(ReadOnlySpan<byte> name) => new($"{Name(name)} is missing");

    private static TraceFormatException Wrong(ReadOnlySpan<byte> name, string wanted, JsonElement found) =>
        new($"{Name(name)} must be {wanted}, found {Kind(found)}");

    private static string Kind(JsonElement found) => found.ValueKind switch
    {
        JsonValueKind.Number => Shorten(found.GetRawText()),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.String => "a text",
        JsonValueKind.Array => "an array",
        _ => "an object",
    };

    private static string Name(ReadOnlySpan<byte> name) => System.Text.Encoding.UTF8.GetString(name);
}
