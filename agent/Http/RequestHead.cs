using System.Buffers;
using System.Text;

namespace Keck.Agent;

/// <summary>A request's first line and headers (RFC 9112), as far as this API needs them. Strict: what could be read in two ways is refused.</summary>
internal readonly record struct RequestHead
{
    /// <summary>Longest head, bytes, with the empty line that ends it.</summary>
    internal const int MostBytes = 16 * 1024;

    private const int MostHeaders = 64;

    private static readonly SearchValues<byte> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What was asked.</summary>
    internal ApiRequest Request { get; private init; }

    /// <summary>The Authorization header; null for none.</summary>
    internal string? Authorization { get; private init; }

    /// <summary>HTTP/1.1: chunks are understood, and the connection stays unless the client says otherwise.</summary>
    internal bool Chunks { get; private init; }

    /// <summary>Whether the connection ends with the answer: asked for, HTTP/1.0, or a body comes that nobody reads.</summary>
    internal bool Last { get; private init; }

    /// <summary>Reads a head; what is wrong with it as the status of the answer, 0 for nothing.</summary>
    /// <param name="head">The bytes up to and with the empty line.</param>
    /// <param name="parsed">The head, where nothing is wrong.</param>
    internal static int Parse(ReadOnlySpan<byte> head, out RequestHead parsed)
    {
        parsed = default;
        int end = head.IndexOf("\r\n"u8);
        ReadOnlySpan<byte> line = head[..Math.Max(0, end)];
        int afterMethod = line.IndexOf((byte)' '), beforeVersion = line.LastIndexOf((byte)' ');
        if (afterMethod <= 0 || beforeVersion <= afterMethod + 1 || line[..afterMethod].ContainsAnyExcept(Token))
        {
            return 400;
        }

        ReadOnlySpan<byte> target = line[(afterMethod + 1)..beforeVersion], version = line[(beforeVersion + 1)..];
        if (target.ContainsAnyExceptInRange((byte)'!', (byte)'~') || !(target[0] == '/' || target.StartsWith("http://"u8)))
        {
            return 400;
        }

        bool chunks = version.SequenceEqual("HTTP/1.1"u8);
        if (!chunks && !version.SequenceEqual("HTTP/1.0"u8))
        {
            return version.StartsWith("HTTP/"u8) ? 505 : 400;
        }

        int status = Headers(head[(end + 2)..], out string? accept, out string? authorization, out int hosts, out bool last);
        if (status != 0 || hosts > 1 || (chunks && hosts == 0))
        {
            return status != 0 ? status : 400;
        }

        parsed = new RequestHead
        {
            Request = ApiRequest.Of(Encoding.ASCII.GetString(line[..afterMethod]), Encoding.ASCII.GetString(target), accept),
            Authorization = authorization,
            Chunks = chunks,
            Last = last || !chunks,
        };
        return 0;
    }

    private static int Headers(ReadOnlySpan<byte> lines, out string? accept, out string? authorization, out int hosts, out bool last)
    {
        (accept, authorization, hosts, last) = (null, null, 0, false);
        for (int count = 0; ; count++)
        {
            int end = lines.IndexOf("\r\n"u8);
            if (end <= 0)
            {
                return end == 0 ? 0 : 400;
            }

            ReadOnlySpan<byte> line = lines[..end];
            lines = lines[(end + 2)..];
            int colon = line.IndexOf((byte)':');
            if (count == MostHeaders)
            {
                return 431;
            }

            if (colon <= 0 || line[..colon].ContainsAnyExcept(Token) || line.ContainsAny((byte)'\r', (byte)'\n', (byte)0))
            {
                return 400;
            }

            ReadOnlySpan<byte> name = line[..colon], value = line[(colon + 1)..].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(name, "host"u8))
            {
                hosts++;
            }
            else if (Ascii.EqualsIgnoreCase(name, "accept"u8))
            {
                accept = accept is null ? Encoding.Latin1.GetString(value) : $"{accept}, {Encoding.Latin1.GetString(value)}";
            }
            else if (Ascii.EqualsIgnoreCase(name, "authorization"u8))
            {
                authorization = Encoding.Latin1.GetString(value);
            }
            else if (Ascii.EqualsIgnoreCase(name, "connection"u8))
            {
                last |= Encoding.Latin1.GetString(value).Contains("close", StringComparison.OrdinalIgnoreCase);
            }
            else if (Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8) || (Ascii.EqualsIgnoreCase(name, "content-length"u8) && !value.SequenceEqual("0"u8)))
            {
                last = true;
            }
        }
    }
}
