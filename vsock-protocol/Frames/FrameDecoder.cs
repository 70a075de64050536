using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>
/// Finds frames in a stream of any bytes. The caller fills <see cref="Free"/>, says how much by <see cref="Advance"/>, and takes
/// frames with <see cref="TryRead"/> until there is none. Never throws for what the bytes are; holds one frame at most; after
/// garbage it goes on at the next magic behind which a checksum is right. Allocates the messages only. Not thread-safe.
/// </summary>
public sealed class FrameDecoder : IDisposable
{
    private const int SmallBuffer = 4_096;

    private readonly byte[] _small = new byte[SmallBuffer];
    private byte[] _buffer;
    private int _start;
    private int _end;
    private int _wanted;
    private bool _inGarbage;
    private FrameCounts _counts;

    /// <summary>A decoder at the begin of a stream.</summary>
    public FrameDecoder() => _buffer = _small;

    /// <summary>What it has met so far.</summary>
    public FrameCounts Counts => _counts;

    /// <summary>Faults that are borne; beyond them the decoder has <see cref="Failed"/>. Without a bound by default.</summary>
    public long FaultsAllowed { get; set; } = long.MaxValue;

    /// <summary>Skipped bytes that are borne. Without a bound by default.</summary>
    public long SkippedBytesAllowed { get; set; } = long.MaxValue;

    /// <summary>Whether more was wrong than is allowed: nothing is read any more.</summary>
    public bool Failed => _counts.Faults > FaultsAllowed || _counts.SkippedBytes > SkippedBytesAllowed;

    /// <summary>Bytes of memory that it holds: 4 KiB, and room for one frame while a larger one is coming in.</summary>
    public int HeldBytes => _small.Length + (_buffer == _small ? 0 : _buffer.Length);

    /// <summary>Where the next bytes of the stream go; never empty once <see cref="TryRead"/> has returned false.</summary>
    public Memory<byte> Free
    {
        get
        {
            MakeRoom();
            return _buffer.AsMemory(_end);
        }
    }

    /// <summary>Says that so many bytes were written into <see cref="Free"/>.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _end);
        _end += count;
    }

    /// <summary>The next frame, or false when more bytes are needed or the decoder has failed.</summary>
    public bool TryRead(out Frame frame)
    {
        frame = default;
        while (!Failed && FindHeader(out FrameType type, out int length))
        {
            ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, FrameCodec.HeaderSize + length);
            if (FrameCodec.Checksum(bytes) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[FrameCodec.ChecksumOffset..]))
            {
                _counts = _counts with { BadChecksums = _counts.BadChecksums + 1 };
                SkipMagic();
                continue;
            }

            _start += bytes.Length;
            _wanted = FrameCodec.HeaderSize;
            _inGarbage = false;
            if (bytes[2] != ChannelProtocol.Version)
            {
                _counts = _counts with { UnknownVersions = _counts.UnknownVersions + 1 };
            }
            else if (!FrameCodec.IsKnown(bytes[3]))
            {
                _counts = _counts with { UnknownTypes = _counts.UnknownTypes + 1 };
            }
            else if (FrameCodec.Parse(type, bytes[FrameCodec.HeaderSize..]) is not IMessage message)
            {
                _counts = _counts with { BadBodies = _counts.BadBodies + 1, SkippedBytes = _counts.SkippedBytes + bytes.Length, Faults = _counts.Faults + 1 };
            }
            else
            {
                _counts = _counts with { Frames = _counts.Frames + 1 };
                frame = new Frame(type, message);
                Release();
                return true;
            }
        }

        Release();
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _start = _end = _wanted = 0;
        Release();
    }

    // Moves to the next header behind which the whole body has come. False: more bytes are needed.
    private bool FindHeader(out FrameType type, out int length)
    {
        (type, length, _wanted) = (FrameType.None, 0, FrameCodec.HeaderSize);
        while (true)
        {
            ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, _end - _start);
            int magic = bytes.IndexOf(FrameCodec.Magic);
            if (magic < 0)
            {
                // A last byte K may be the first of the next magic.
                SkipGarbage(bytes.Length - (bytes.EndsWith(FrameCodec.Magic[..1]) ? 1 : 0));
                return false;
            }

            SkipGarbage(magic);
            bytes = bytes[magic..];
            if (Failed || bytes.Length < FrameCodec.HeaderSize)
            {
                return false;
            }

            uint claimed = BinaryPrimitives.ReadUInt32LittleEndian(bytes[FrameCodec.LengthOffset..]);
            if (claimed > ChannelProtocol.MaxBody)
            {
                _counts = _counts with { Oversize = _counts.Oversize + 1 };
                SkipMagic();
                continue;
            }

            (type, length) = ((FrameType)bytes[3], (int)claimed);
            _wanted = FrameCodec.HeaderSize + length;
            return bytes.Length >= _wanted;
        }
    }

    private void SkipGarbage(int count)
    {
        if (count > 0)
        {
            _start += count;
            _counts = _counts with { SkippedBytes = _counts.SkippedBytes + count, Faults = _counts.Faults + (_inGarbage ? 0 : 1) };
            _inGarbage = true;
        }
    }

    // What looked like a header is none; the real one may stand inside what it claimed.
    private void SkipMagic()
    {
        int count = FrameCodec.Magic.Length;
        _start += count;
        _counts = _counts with { SkippedBytes = _counts.SkippedBytes + count, Faults = _counts.Faults + 1 };
        _inGarbage = true;
    }

    private void MakeRoom()
    {
        int held = _end - _start;
        if (_wanted > _buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(_wanted);
            _buffer.AsSpan(_start, held).CopyTo(larger);
            Return();
            (_buffer, _start, _end) = (larger, 0, held);
        }
        else if (_start > 0 && (held == 0 || _end == _buffer.Length || _start + _wanted > _buffer.Length))
        {
            _buffer.AsSpan(_start, held).CopyTo(_buffer);
            (_start, _end) = (0, held);
        }
    }

    // Back to the small buffer as soon as what is left fits, so that idle connections hold little.
    private void Release()
    {
        int held = _end - _start;
        if (_buffer != _small && _wanted <= SmallBuffer && held <= SmallBuffer)
        {
            _buffer.AsSpan(_start, held).CopyTo(_small);
            Return();
            (_buffer, _start, _end) = (_small, 0, held);
        }
    }

    private void Return()
    {
        if (_buffer != _small)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }
}
