using System.Text;

namespace Keck.Virt;

/// <summary>Text that a machine's owner has a say in: bounded, and nothing in it can break a line or a terminal.</summary>
internal static class SafeText
{
    internal const int Limit = 255;

    /// <summary>The text without control and format characters (each becomes U+FFFD), cut at 255 characters; null for nothing but blanks.</summary>
    internal static string? Clean(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        StringBuilder? changed = null;
        int length = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (length + rune.Utf16SequenceLength > Limit)
            {
                changed ??= new StringBuilder(text, 0, length, Limit);
                break;
            }

            // EnumerateRunes turns half a surrogate pair into U+FFFD by itself; the original text must then not be kept.
            bool bad = Rune.IsControl(rune) || rune == Rune.ReplacementChar
                || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator;
            if (bad && changed is null)
            {
                changed = new StringBuilder(text, 0, length, Limit);
            }

            _ = changed?.Append(bad ? "\uFFFD" : rune.ToString());
            length += rune.Utf16SequenceLength;
        }

        return changed?.ToString() ?? text;
    }
}
