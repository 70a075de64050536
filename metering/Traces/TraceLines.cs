using System.IO.Compression;

namespace Keck.Metering;

/// <summary>The lines of a trace, plain or gzip, in one buffer of bounded size.</summary>
internal sealed class TraceLines : IDisposable
{
    /// <summary>Longest line taken, bytes.</summary>
    internal const int LongestLine = 64 << 20;

    private readonly Stream _input;
    private readonly GZipStream? _gzip;
    private byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;
    private bool _atEnd;

    internal TraceLines(Stream input)
    {
        byte[] magic = new byte[2];
        int length = input.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        Stream all = new PrefixedStream(magic.AsMemory(0, length), input);
        if (length == 2 && magic[0] == 0x1f && magic[1] == 0x8b)
        {
            _gzip = new GZipStream(all, CompressionMode.Decompress, leaveOpen: true);
            all = _gzip;
        }

        _input = all;
    }

    /// <summary>Number of the last line, from 1.</summary>
    internal long Line { get; private set; }

    /// <summary>Whether the last line ended with the data instead of a line feed.</summary>
    internal bool Unterminated { get; private set; }

    /// <summary>Whether the compressed data ended or broke before their end.</summary>
    internal bool Broken { get; private set; }

    /// <summary>The next line that is not blank.</summary>
    internal bool Next(out ReadOnlyMemory<byte> line)
    {
        while (Take(out line))
        {
            Line++;
            if (Line == 1 && line.Span.StartsWith("\uFEFF"u8))
            {
                line = line[3..];
            }

            if (line.Span.ContainsAnyExcept(" \t\r"u8))
            {
                return true;
            }
        }

        return false;
    }

    public void Dispose() => _gzip?.Dispose();

    private bool Take(out ReadOnlyMemory<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int feed = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                line = _buffer.AsMemory(_start, searched + feed);
                _start += searched + feed + 1;
                return true;
            }

            searched = _end - _start;
            if (_atEnd)
            {
                line = _buffer.AsMemory(_start, searched);
                _start = _end;
                Unterminated = true;
                return searched > 0;
            }

            Fill();
        }
    }

    private void Fill()
    {
        if (_end == _buffer.Length)
        {
            int used = _end - _start;
            if (used >= LongestLine)
            {
                throw new TraceFormatException(Line + 1, $"longer than {LongestLine >> 20} MiB; this is no trace, or it needs shorter ticks");
            }

            byte[] target = used > _buffer.Length / 2 ? new byte[Math.Min(_buffer.Length * 2, LongestLine)] : _buffer;
            _buffer.AsSpan(_start, used).CopyTo(target);
            (_buffer, _start, _end) = (target, 0, used);
        }

        try
        {
            int read = _input.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            _atEnd = read == 0;
        }
        catch (InvalidDataException)
        {
            (_atEnd, Broken) = (true, true);
        }
    }
}
