using System.Text;

namespace Keck.Agent;

/// <summary>Strict percent-decoding: a bad escape or bytes that are no UTF-8 text make the whole input invalid.</summary>
internal static class PercentEncoding
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The decoded text; null where it is invalid or holds a NUL.</summary>
    internal static string? Decode(string text, bool plusIsSpace = false)
    {
        if (!text.AsSpan().ContainsAny('%', '+', '\0'))
        {
            return text;
        }

        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int length = 0;
        for (int index = 0; index < text.Length; index++)
        {
            if (text[index] == '%')
            {
                if (index + 2 >= text.Length || !char.IsAsciiHexDigit(text[index + 1]) || !char.IsAsciiHexDigit(text[index + 2]))
                {
                    return null;
                }

                bytes[length++] = (byte)((HexValue(text[index + 1]) << 4) | HexValue(text[index + 2]));
                index += 2;
            }
            else if (text[index] == '+' && plusIsSpace)
            {
                bytes[length++] = (byte)' ';
            }
            else
            {
                length += Encoding.UTF8.GetBytes(text.AsSpan(index, 1), bytes.AsSpan(length));
            }
        }

        if (bytes.AsSpan(0, length).Contains((byte)0))
        {
            return null;
        }

        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static int HexValue(char digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
