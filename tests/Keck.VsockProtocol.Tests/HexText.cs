using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Keck.VsockProtocol.Tests;

/// <summary>A frame as hex with a comment behind each field, and back.</summary>
internal static class HexText
{
    internal static string Write(ReadOnlySpan<byte> frame, MessageDescriptor descriptor)
    {
        StringBuilder text = new();
        Line(text, 0, frame[..2], "magic KB");
        Line(text, 0, frame[2..3], $"version {frame[2]}");
        Line(text, 0, frame[3..4], $"type {(FrameType)frame[3]}");
        Line(text, 0, frame[4..8], $"length {BinaryPrimitives.ReadUInt32LittleEndian(frame[4..])}");
        Line(text, 0, frame[8..12], "CRC-32C of bytes 0-7 and the body");
        Fields(text, 0, frame[12..], descriptor);
        return text.ToString();
    }

    internal static byte[] Read(string text)
    {
        StringBuilder hex = new();
        foreach (string line in text.Split('\n'))
        {
            _ = hex.Append(line.Split('#')[0].Replace(" ", "", StringComparison.Ordinal));
        }

        return Convert.FromHexString(hex.ToString());
    }

    private static void Fields(StringBuilder text, int depth, ReadOnlySpan<byte> body, MessageDescriptor descriptor)
    {
        byte[] bytes = body.ToArray();
        using var input = new CodedInputStream(bytes);
        while (!input.IsAtEnd)
        {
            int begin = (int)input.Position;
            FieldDescriptor field = descriptor.FindFieldByNumber(WireFormat.GetTagFieldNumber(input.ReadTag()));
            string value;
            switch (field.FieldType)
            {
                case FieldType.Message:
                    int length = input.ReadBytes().Length;
                    int start = (int)input.Position - length;
                    Line(text, depth, bytes.AsSpan(begin, start - begin), length == 0 ? $"{field.Name}: unknown" : $"{field.Name}:");
                    Fields(text, depth + 1, bytes.AsSpan(start, length), field.MessageType);
                    continue;
                case FieldType.String:
                    value = $"\"{input.ReadString()}\"";
                    break;
                case FieldType.Bytes:
                    value = Convert.ToHexStringLower(input.ReadBytes().Span);
                    break;
                case FieldType.Fixed64:
                    value = input.ReadFixed64().ToString("x16", CultureInfo.InvariantCulture);
                    break;
                case FieldType.Enum:
                    int number = input.ReadEnum();
                    value = field.EnumType.FindValueByNumber(number).Name;
                    break;
                case var _ when field.IsRepeated:
                    int end = input.ReadLength();
                    end += (int)input.Position;
                    List<string> values = [];
                    while (input.Position < end)
                    {
                        values.Add(input.ReadUInt64().ToString(CultureInfo.InvariantCulture));
                    }

                    value = string.Join(", ", values);
                    break;
                default:
                    value = input.ReadUInt64().ToString(CultureInfo.InvariantCulture);
                    break;
            }

            Line(text, depth, bytes.AsSpan(begin, (int)input.Position - begin), $"{field.Name} {value}");
        }
    }

    private static void Line(StringBuilder text, int depth, ReadOnlySpan<byte> bytes, string comment)
    {
        string hex = string.Join(' ', bytes.ToArray().Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));
        _ = text.Append(' ', 2 * depth).Append(hex).Append("  # ").Append(comment).Append('\n');
    }
}
