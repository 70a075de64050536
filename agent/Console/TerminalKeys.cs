using System.Text;

namespace Keck.Agent;

/// <summary>Keys from the bytes that a terminal sends: characters in UTF-8; Enter, Backspace and Escape; other keys' sequences are passed over.</summary>
internal sealed class TerminalKeys
{
    private const char Escape = '\u001b';
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The keys in what one read gave.</summary>
    internal IEnumerable<ConsoleKeyInfo> Of(ReadOnlySpan<byte> bytes)
    {
        char[] text = new char[_decoder.GetCharCount(bytes, flush: false)];
        return Keys(text.AsMemory(0, _decoder.GetChars(bytes, text, flush: false)));
    }

    private static IEnumerable<ConsoleKeyInfo> Keys(ReadOnlyMemory<char> text)
    {
        for (int at = 0; at < text.Length; at++)
        {
            char key = text.Span[at];
            int length = key == Escape ? SequenceLength(text.Span[at..]) : 1;
            if (length == 1)
            {
                yield return new ConsoleKeyInfo(key, Named(key), shift: false, alt: false, control: false);
            }

            at += length - 1;
        }
    }

    private static ConsoleKey Named(char key) => key switch
    {
        '\r' or '\n' => ConsoleKey.Enter,
        '\b' or '\u007f' => ConsoleKey.Backspace,
        Escape => ConsoleKey.Escape,
        _ => ConsoleKey.None,
    };

    // ESC [ parameters final (ECMA-48, 5.4) or ESC and a character (Alt, ESC O x); the key itself comes alone.
    private static int SequenceLength(ReadOnlySpan<char> text)
    {
        if (text.Length == 1 || text[1] == Escape)
        {
            return 1;
        }

        if (text[1] is not '[')
        {
            return Math.Min(text.Length, text[1] == 'O' ? 3 : 2);
        }

        int final = text[2..].IndexOfAnyInRange('@', '~');
        return final < 0 ? text.Length : final + 3;
    }
}
