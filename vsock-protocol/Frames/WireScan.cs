using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>
/// A look at a body before it is parsed. Two bytes can make the parser allocate an object of a hundred; the messages repeat
/// sub-messages at the top only, so a bound on the fields at the top is a bound on objects.
/// </summary>
internal static class WireScan
{
    /// <summary>Whether the body is a chain of at most <see cref="ChannelProtocol.MaxFields"/> whole fields.</summary>
    internal static bool IsModest(ReadOnlySpan<byte> body)
    {
        int at = 0;
        for (int fields = 0; at < body.Length; fields++)
        {
            if (fields == ChannelProtocol.MaxFields || !TryVarint(body, ref at, out ulong tag))
            {
                return false;
            }

            switch ((WireFormat.WireType)(tag & 7))
            {
                case WireFormat.WireType.Varint when TryVarint(body, ref at, out _):
                    break;
                case WireFormat.WireType.Fixed64 when body.Length - at >= sizeof(ulong):
                    at += sizeof(ulong);
                    break;
                case WireFormat.WireType.Fixed32 when body.Length - at >= sizeof(uint):
                    at += sizeof(uint);
                    break;
                case WireFormat.WireType.LengthDelimited when TryVarint(body, ref at, out ulong length) && length <= (ulong)(body.Length - at):
                    at += (int)length;
                    break;
                default:
                    return false; // cut, or a group, which no message has
            }
        }

        return true;
    }

    private static bool TryVarint(ReadOnlySpan<byte> body, ref int at, out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 70 && at < body.Length; shift += 7)
        {
            byte b = body[at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
