using System.Globalization;
using System.Text.Json;

namespace Keck.Agent;

/// <summary>What is wrong with a JSON file, in an editor's terms: lines from 1, and no words about the parser.</summary>
internal static class JsonFault
{
    /// <summary>Place and fault, such as <c> in line 2, byte 15: 'x' is invalid after a value.</c></summary>
    internal static string Say(JsonException fault)
    {
        string text = fault.Message;
        foreach (string end in (string[])[" LineNumber: ", " Path: ", ", when isFinalBlock is true", " Change the reader options."])
        {
            int at = text.IndexOf(end, StringComparison.Ordinal);
            text = at < 0 ? text : text[..at];
        }

        return fault is { LineNumber: { } line, BytePositionInLine: { } position }
            ? string.Create(CultureInfo.InvariantCulture, $" in line {line + 1}, byte {position + 1}: {text}")
            : $": {text}";
    }
}
