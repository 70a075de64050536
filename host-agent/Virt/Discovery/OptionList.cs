using System.Text;
using System.Text.Json;

namespace Keck.Virt;

/// <summary>
/// One option's value as QEMU writes it: <c>key=value,key=value</c> with <c>,,</c> for a comma, the first key perhaps left out, or a
/// JSON object. Keys beyond the limit and values of other JSON types than text and number are left out.
/// </summary>
internal readonly struct OptionList
{
    private const int KeyLimit = 64;
    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 16 };

    private readonly List<(string Key, string Value)> _pairs;

    private OptionList(List<(string Key, string Value)> pairs) => _pairs = pairs;

    /// <summary>The value of a key, or null; the last one wins, as in QEMU.</summary>
    internal string? this[string key]
    {
        get
        {
            for (int i = _pairs.Count - 1; i >= 0; i--)
            {
                if (_pairs[i].Key == key)
                {
                    return _pairs[i].Value;
                }
            }

            return null;
        }
    }

    /// <summary>Reads a value; never fails, what cannot be read is not there.</summary>
    /// <param name="text">The argument.</param>
    /// <param name="firstKey">What the first part is called where it has no key of its own.</param>
    internal static OptionList Parse(string text, string firstKey) =>
        new(text.StartsWith('{') ? ParseJson(text, firstKey) : ParsePairs(text, firstKey));

    private static List<(string Key, string Value)> ParsePairs(string text, string firstKey)
    {
        List<(string Key, string Value)> pairs = [];
        StringBuilder part = new();
        for (int i = 0; i <= text.Length && pairs.Count < KeyLimit; i++)
        {
            bool end = i == text.Length || text[i] == ',';
            if (!end)
            {
                _ = part.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == ',')
            {
                _ = part.Append(',');
                i++;
            }
            else
            {
                string whole = part.ToString();
                int equals = whole.IndexOf('=', StringComparison.Ordinal);
                // A key has no comma: an escaped one before the sign means that the sign belongs to the value.
                bool named = equals > 0 && !whole.AsSpan(0, equals).Contains(',');
                pairs.Add(named ? (whole[..equals], whole[(equals + 1)..]) : pairs.Count == 0 ? (firstKey, whole) : (whole, "on"));
                _ = part.Clear();
            }
        }

        return pairs;
    }

    private static List<(string Key, string Value)> ParseJson(string text, string firstKey)
    {
        List<(string Key, string Value)> pairs = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Json);
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (pairs.Count < KeyLimit && property.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
                {
                    string value = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : property.Value.GetRawText();
                    pairs.Add((property.Name is "driver" or "qom-type" ? firstKey : property.Name, value));
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Cut at the limit, or half a surrogate pair: nothing of it can be trusted.
            pairs.Clear();
        }

        return pairs;
    }
}
