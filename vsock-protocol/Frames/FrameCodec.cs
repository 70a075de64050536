using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>
/// Layout of a frame, little-endian: 0 magic <c>KB</c>, 2 version, 3 type, 4 length of the body (u32), 8 CRC-32C of bytes 0–7 and
/// the body (u32), 12 body. These twelve bytes are the same in every version.
/// </summary>
public static class FrameCodec
{
    /// <summary>Bytes before the body.</summary>
    public const int HeaderSize = 12;

    internal const int LengthOffset = 4;
    internal const int ChecksumOffset = 8;
    internal const int TypeCount = 8;

    // Unknown fields are dropped, not kept: a peer cannot make us hold what we do not know.
    private static readonly MessageParser<Hello> HelloParser = Hello.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Welcome> WelcomeParser = Welcome.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Mark> MarkParser = Mark.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Budget> BudgetParser = Budget.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Ack> AckParser = Ack.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Usage> UsageParser = Usage.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Goodbye> GoodbyeParser = Goodbye.Parser.WithDiscardUnknownFields(true);

    /// <summary>First two bytes of a frame.</summary>
    public static ReadOnlySpan<byte> Magic => "KB"u8;

    /// <summary>The type of a message's frame; throws for a class that is no message of the channel.</summary>
    public static FrameType TypeOf(IMessage message) => message switch
    {
        Hello => FrameType.Hello,
        Welcome => FrameType.Welcome,
        Mark => FrameType.Mark,
        Budget => FrameType.Budget,
        Ack => FrameType.Ack,
        Usage => FrameType.Usage,
        Goodbye => FrameType.Goodbye,
        _ => throw new ArgumentException("is no message of the channel", nameof(message)),
    };

    /// <summary>Bytes of a message's frame; throws where its body would be larger than <see cref="ChannelProtocol.MaxBody"/>.</summary>
    public static int SizeOf(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        int size = message.CalculateSize();
        return size <= ChannelProtocol.MaxBody
            ? HeaderSize + size
            : throw new ArgumentException($"has a body of {size} bytes, more than {ChannelProtocol.MaxBody}: list fewer lines", nameof(message));
    }

    /// <summary>Writes a frame into exactly <see cref="SizeOf"/> bytes.</summary>
    public static void Encode(IMessage message, Span<byte> frame)
    {
        Magic.CopyTo(frame);
        frame[2] = (byte)ChannelProtocol.Version;
        frame[3] = (byte)TypeOf(message);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[LengthOffset..], (uint)(frame.Length - HeaderSize));
        message.WriteTo(frame[HeaderSize..]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[ChecksumOffset..], Checksum(frame));
    }

    /// <summary>A frame as an array of its own; for tests and single frames.</summary>
    public static byte[] Encode(IMessage message)
    {
        byte[] frame = new byte[SizeOf(message)];
        Encode(message, frame);
        return frame;
    }

    /// <summary>CRC-32C (Castagnoli) of a frame without the checksum's own four bytes.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> frame) => ~Add(Add(uint.MaxValue, frame[..ChecksumOffset]), frame[HeaderSize..]);

    internal static bool IsKnown(byte type) => type is > (byte)FrameType.None and < TypeCount;

    /// <summary>The message of a body, or null where it is no such message.</summary>
    internal static IMessage? Parse(FrameType type, ReadOnlySpan<byte> body)
    {
        if (!WireScan.IsModest(body))
        {
            return null;
        }

        try
        {
            return type switch
            {
                FrameType.Hello => HelloParser.ParseFrom(body),
                FrameType.Welcome => WelcomeParser.ParseFrom(body),
                FrameType.Mark => MarkParser.ParseFrom(body),
                FrameType.Budget => BudgetParser.ParseFrom(body),
                FrameType.Ack => AckParser.ParseFrom(body),
                FrameType.Usage => UsageParser.ParseFrom(body),
                FrameType.Goodbye => GoodbyeParser.ParseFrom(body),
                _ => null,
            };
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (byte b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return crc;
    }
}
