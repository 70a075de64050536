using System.Text;

namespace Keck.Architecture.Tests;

/// <summary>C# source with comments and literals blanked out, so that a rule sees code only. Lines and columns stay.</summary>
internal static class CSharpText
{
    /// <summary>The code of a source; literals and comments become spaces.</summary>
    internal static string Code(string source)
    {
        StringBuilder code = new(source.Length);
        int at = 0;
        while (at < source.Length)
        {
            int end = SkipEnd(source, at);
            if (end == at)
            {
                _ = code.Append(source[at++]);
                continue;
            }

            for (; at < end; at++)
            {
                _ = code.Append(source[at] == '\n' ? '\n' : ' ');
            }
        }

        return code.ToString();
    }

    /// <summary>What stands outside every pair of braces: usings, the namespace, declarations of types. A body becomes <c>{}</c>.</summary>
    internal static string TopLevel(string code)
    {
        StringBuilder top = new();
        int depth = 0;
        foreach (char c in code)
        {
            depth -= c == '}' ? 1 : 0;
            if (depth == 0)
            {
                _ = top.Append(c);
            }

            depth += c == '{' ? 1 : 0;
        }

        return top.ToString();
    }

    /// <summary>The line of a position, from 1.</summary>
    internal static int Line(string text, int position) => text.AsSpan(0, position).Count('\n') + 1;

    // The end of the comment or literal that begins here; here if none does.
    private static int SkipEnd(string text, int at)
    {
        char c = text[at];
        if (c == '/' && Follows(text, at, "//"))
        {
            return Until(text, at, "\n");
        }

        if (c == '/' && Follows(text, at, "/*"))
        {
            return Until(text, at + 2, "*/") is int end && end < text.Length ? end + 2 : text.Length;
        }

        if (c == '\'')
        {
            return Quoted(text, at, '\'');
        }

        if (c != '"')
        {
            return at;
        }

        int quotes = 0;
        while (at + quotes < text.Length && text[at + quotes] == '"')
        {
            quotes++;
        }

        if (quotes >= 3)
        {
            int close = Until(text, at + quotes, new string('"', quotes));
            return Math.Min(text.Length, close + quotes);
        }

        // Holes of interpolated strings are blanked with them; a quote inside a hole ends the blank early and starts the next.
        bool verbatim = (at > 0 && text[at - 1] == '@') || (at > 1 && text[at - 1] == '$' && text[at - 2] == '@');
        return verbatim ? Verbatim(text, at) : Quoted(text, at, '"');
    }

    private static int Quoted(string text, int at, char quote)
    {
        for (int i = at + 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == quote)
            {
                return i + 1;
            }
            else if (text[i] == '\n')
            {
                return i;
            }
        }

        return text.Length;
    }

    private static int Verbatim(string text, int at)
    {
        for (int i = at + 1; i < text.Length; i++)
        {
            if (text[i] == '"' && !Follows(text, i, "\"\""))
            {
                return i + 1;
            }

            i += text[i] == '"' ? 1 : 0;
        }

        return text.Length;
    }

    private static bool Follows(string text, int at, string what) => string.CompareOrdinal(text, at, what, 0, what.Length) == 0;

    private static int Until(string text, int from, string what) => text.IndexOf(what, from, StringComparison.Ordinal) is var end and >= 0 ? end : text.Length;
}
