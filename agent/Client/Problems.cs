using System.Text.Json;

namespace Keck.Agent;

/// <summary>Reads RFC 9457 problem documents.</summary>
internal static class Problems
{
    /// <summary>What was wrong, in the document's words, or as much of the text as helps.</summary>
    internal static string Detail(ReadOnlySpan<byte> body)
    {
        try
        {
            Utf8JsonReader reader = new(body);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.TryGetProperty("detail", out JsonElement detail) ? detail.ToString()
                : document.RootElement.TryGetProperty("title", out JsonElement title) ? title.ToString() : "";
        }
        catch (JsonException)
        {
            return System.Text.Encoding.UTF8.GetString(body[..Math.Min(body.Length, 200)]);
        }
    }
}
