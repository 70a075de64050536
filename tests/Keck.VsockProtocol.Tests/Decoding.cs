using System.Buffers.Binary;

namespace Keck.VsockProtocol.Tests;

/// <summary>Frames out of bytes, and bytes of frames that the library would not write.</summary>
internal static class Decoding
{
    /// <summary>Every frame in the bytes, given to a decoder in pieces of random size.</summary>
    internal static List<Frame> Frames(ReadOnlySpan<byte> bytes)
    {
        using var decoder = new FrameDecoder();
        return Feed(decoder, bytes, new Random(1));
    }

    /// <summary>Gives bytes to a decoder in pieces of random size and takes what comes out.</summary>
    internal static List<Frame> Feed(FrameDecoder decoder, ReadOnlySpan<byte> bytes, Random random)
    {
        List<Frame> frames = [];
        while (!bytes.IsEmpty && !decoder.Failed)
        {
            Span<byte> free = decoder.Free.Span;
            int count = Math.Min(Math.Min(bytes.Length, free.Length), 1 + random.Next(5_000));
            bytes[..count].CopyTo(free);
            decoder.Advance(count);
            bytes = bytes[count..];
            while (decoder.TryRead(out Frame frame))
            {
                frames.Add(frame);
            }
        }

        return frames;
    }

    /// <summary>A frame with any type, version and body and a right checksum.</summary>
    internal static byte[] Frame(byte type, ReadOnlySpan<byte> body, byte version = 1)
    {
        byte[] frame = [(byte)'K', (byte)'B', version, type, 0, 0, 0, 0, 0, 0, 0, 0, .. body];
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(4), (uint)body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), FrameCodec.Checksum(frame));
        return frame;
    }

    /// <summary>A header that claims a length, with no body.</summary>
    internal static byte[] Claim(uint length)
    {
        byte[] header = Frame((byte)FrameType.Usage, []);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), length);
        return header;
    }
}
