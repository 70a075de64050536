using System.Text.RegularExpressions;
using Google.Protobuf;
using Keck.Tests;

namespace Keck.VsockProtocol.Tests;

public sealed partial class GoldenFrameTests
{
    public static TheoryData<string> Names => [.. Samples.All.Select(sample => sample.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_EveryMessage_IsTheGoldenFrame(string name)
    {
        IMessage message = Message(name);
        Golden.Equal(HexText.Write(FrameCodec.Encode(message), message.Descriptor), Path(name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Decode_GoldenFrame_IsTheMessage(string name)
    {
        Frame frame = Assert.Single(Decoding.Frames(Bytes(name)));
        Assert.Equal(Message(name), frame.Message);
        Assert.Null(MessageRules.Fault(frame.Message));
    }

    [Fact]
    public void Checksum_KnownText_IsCrc32C()
    {
        // Castagnoli's check value: CRC-32C of "123456789" is e3069283. The checksum leaves out bytes 8 to 11 of a frame.
        Assert.Equal(0xe3069283u, FrameCodec.Checksum("12345678----9"u8));
    }

    [Fact]
    public void Decode_FieldOfALaterVersion_IsPassedOver()
    {
        byte[] body = [.. new Mark { Interval = 7 }.ToByteArray(), .. (byte[])[0xFA, 0x01, 0x03, 1, 2, 3]]; // field 31, three bytes
        Frame frame = Assert.Single(Decoding.Frames(Decoding.Frame((byte)FrameType.Mark, body)));
        Assert.Equal(new Mark { Interval = 7 }, frame.Message);
        Assert.Equal(2, frame.Message.CalculateSize()); // nor is it kept
    }

    [Fact]
    public void Decode_FieldLeftOut_IsUnknownAndNotZero()
    {
        var budget = (Budget)Assert.Single(Decoding.Frames(Bytes("budget-unknown"))).Message;
        Assert.True(budget.VcpuActive[0].HasEnergyMicrojoules);
        Assert.False(budget.VcpuActive[1].HasEnergyMicrojoules);
        Assert.Null(budget.OverheadActive);
        Assert.False(budget.HasBaseInterval);
    }

    [Fact]
    public void Document_HexExample_IsTheGolden()
    {
        string document = File.ReadAllText(Repository.PathOf("docs", "protocol.md"));
        Match[] quotes = [.. Quote().Matches(document).Cast<Match>()];
        Assert.NotEmpty(quotes);
        Assert.All(quotes, quote => Assert.Equal(File.ReadAllText(Repository.PathOf(Path(quote.Groups[1].Value))), quote.Groups[2].Value));
    }

    private static IMessage Message(string name) => Samples.All.Single(sample => sample.Name == name).Message;

    private static byte[] Bytes(string name) => HexText.Read(File.ReadAllText(Repository.PathOf(Path(name))));

    private static string[] Path(string name) => ["tests", "Keck.VsockProtocol.Tests", "Frames", name + ".hex"];

    [GeneratedRegex("<!-- frame: ([a-z-]+) -->\n```text\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Quote();
}
