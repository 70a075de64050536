using System.Buffers;
using Google.Protobuf;

namespace Keck.VsockProtocol.Tests;

public sealed class FrameDecoderTests
{
    private static readonly byte[] Good = FrameCodec.Encode(Samples.Budget());

    [Fact]
    public void TryRead_SplitAtEveryByte_GivesEveryFrame()
    {
        byte[] stream = [.. Samples.All.SelectMany(sample => FrameCodec.Encode(sample.Message))];
        for (int split = 0; split <= stream.Length; split++)
        {
            using var decoder = new FrameDecoder();
            List<IMessage> messages = [];
            foreach (byte[] part in (byte[][])[stream[..split], stream[split..]])
            {
                part.CopyTo(decoder.Free.Span);
                decoder.Advance(part.Length);
                while (decoder.TryRead(out Frame frame))
                {
                    messages.Add(frame.Message);
                }
            }

            Assert.Equal(Samples.All.Select(sample => sample.Message), messages);
            Assert.Equal(0, decoder.Counts.SkippedBytes);
            Assert.Equal(0, decoder.Counts.Faults);
        }
    }

    [Fact]
    public void TryRead_OneByteAtATime_GivesEveryFrame()
    {
        using var decoder = new FrameDecoder();
        int frames = 0;
        foreach (byte b in Good.Concat(Good))
        {
            decoder.Free.Span[0] = b;
            decoder.Advance(1);
            frames += decoder.TryRead(out _) ? 1 : 0;
        }

        Assert.Equal(2, frames);
    }

    [Fact]
    public void TryRead_EveryBitFlipped_NeverGivesAnotherMessageAndFindsTheNext()
    {
        for (int bit = 0; bit < 8 * Good.Length; bit++)
        {
            byte[] bad = [.. Good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            // The claimed length may reach past the next frames: what follows pays it off.
            byte[] stream = [.. bad, .. Good, .. new byte[FrameCodec.HeaderSize + ChannelProtocol.MaxBody]];
            Frame frame = Assert.Single(Decoding.Frames(stream));
            Assert.Equal(Samples.Budget(), frame.Message);
        }
    }

    [Fact]
    public void TryRead_GarbageBetween_IsSkippedAndCounted()
    {
        using var decoder = new FrameDecoder();
        byte[] garbage = "no frame, K, KB"u8.ToArray();
        byte[] stream = [.. Good, .. garbage, .. new byte[5_000], .. Good];
        List<Frame> frames = Decoding.Feed(decoder, stream, new Random(3));
        Assert.Equal(2, frames.Count);
        Assert.Equal(garbage.Length + 5_000, decoder.Counts.SkippedBytes);
    }

    [Fact]
    public void TryRead_Oversize_IsCountedAndTheNextFrameFoundAtOnce()
    {
        using var decoder = new FrameDecoder();
        List<Frame> frames = Decoding.Feed(decoder, [.. Decoding.Claim(ChannelProtocol.MaxBody + 1), .. Decoding.Claim(uint.MaxValue), .. Good], new Random(4));
        Assert.Single(frames);
        Assert.Equal(2, decoder.Counts.Oversize);
        Assert.Equal(4_096, decoder.HeldBytes);
    }

    [Fact]
    public void TryRead_LargestBody_IsReadAndItsMemoryGivenBack()
    {
        using var decoder = new FrameDecoder();
        byte[] body = new byte[ChannelProtocol.MaxBody];
        (body[0], body[1], body[2], body[3]) = (0x12, 0xFC, 0xFF, 0x03); // Goodbye.detail of 65,532 bytes
        Assert.Equal(ChannelProtocol.MaxBody, body.Length);
        Frame frame = Assert.Single(Decoding.Feed(decoder, Decoding.Frame((byte)FrameType.Goodbye, body), new Random(5)));
        Assert.Equal(65_532, ((Goodbye)frame.Message).Detail.Length);
        Assert.Equal(4_096, decoder.HeldBytes);
        Assert.NotNull(MessageRules.Fault(frame.Message));
    }

    [Fact]
    public void TryRead_UnknownTypeOrVersion_IsPassedOverAndNoFault()
    {
        using var decoder = new FrameDecoder { FaultsAllowed = 0 };
        byte[] stream = [.. Decoding.Frame(200, "anything"u8), .. Decoding.Frame(0, []), .. Decoding.Frame((byte)FrameType.Mark, [0xFF], version: 2), .. Good];
        Assert.Single(Decoding.Feed(decoder, stream, new Random(6)));
        Assert.Equal((2, 1, 0), (decoder.Counts.UnknownTypes, decoder.Counts.UnknownVersions, decoder.Counts.Faults));
    }

    [Theory]
    [InlineData(new byte[] { 0x08 })] // cut in a varint
    [InlineData(new byte[] { 0x22, 0x7F })] // a length past the end
    [InlineData(new byte[] { 0x0B, 0x0C })] // a group
    [InlineData(new byte[] { 0x00, 0x00 })] // field 0
    [InlineData(new byte[] { 0x22, 0x01, 0x08 })] // cut inside a figure
    public void TryRead_BodyIsNoMessage_IsCountedAndPassedOver(byte[] body)
    {
        using var decoder = new FrameDecoder();
        Assert.Single(Decoding.Feed(decoder, [.. Decoding.Frame((byte)FrameType.Budget, body), .. Good], new Random(7)));
        Assert.Equal((1, 1), (decoder.Counts.BadBodies, decoder.Counts.Faults));
    }

    [Fact]
    public void TryRead_MoreFaultsThanAllowed_FailsAndReadsNothingMore()
    {
        using var decoder = new FrameDecoder { FaultsAllowed = 3 };
        byte[] bad = [.. Good];
        bad[^1] ^= 1;
        List<Frame> frames = Decoding.Feed(decoder, [.. Good, .. bad, .. bad, .. bad, .. bad, .. Good], new Random(8));
        Assert.Single(frames);
        Assert.True(decoder.Failed);
        Assert.False(decoder.TryRead(out _));
    }

    [Fact]
    public void TryRead_ManyHeadersThatClaimMuch_CostsNoMoreThanAllowed()
    {
        // Each of these headers asks for a checksum over all that follows: work that grows with the square, if it were done.
        using var decoder = new FrameDecoder { FaultsAllowed = 16 };
        byte[] claims = [.. Enumerable.Range(0, 6_000).SelectMany(_ => Decoding.Claim(50_000))];
        Assert.Empty(Decoding.Feed(decoder, claims, new Random(9)));
        Assert.True(decoder.Failed);
        Assert.Equal(17, decoder.Counts.BadChecksums);
    }

    [Theory]
    [InlineData(FrameType.Budget, 0x22)]
    [InlineData(FrameType.Usage, 0x1A)]
    [InlineData(FrameType.Usage, 0x2A)]
    public void TryRead_BodyOfEmptyMessages_IsRefusedBeforeItAllocates(FrameType type, byte tag)
    {
        // 32,768 sub-messages of two bytes each.
        byte[] body = [.. Enumerable.Repeat((byte[])[tag, 0], ChannelProtocol.MaxBody / 2).SelectMany(pair => pair)];
        using var decoder = new FrameDecoder();
        (long allocated, int frames) = Allocated(decoder, Decoding.Frame((byte)type, body));
        Assert.Equal((0, 1), (frames, decoder.Counts.BadBodies));
        Assert.InRange(allocated, 0, 4_096);
    }

    [Fact]
    public void TryRead_WorstPackedBody_AllocatesWithinTwoMebibytes()
    {
        byte[] body = [0x12, 0xFC, 0xFF, 0x03, .. new byte[65_532]]; // Ack: 65,532 busy times of one byte each
        using var decoder = new FrameDecoder();
        (long allocated, int frames) = Allocated(decoder, Decoding.Frame((byte)FrameType.Ack, body));
        Assert.Equal(1, frames);
        Assert.InRange(allocated, 500_000, 2 << 20);
    }

    [Fact]
    public void TryRead_FrameAfterFrame_AllocatesTheMessageOnly()
    {
        byte[] mark = FrameCodec.Encode(new Mark { Interval = 7, HostMonotonicNanoseconds = 1 });
        using var decoder = new FrameDecoder();
        _ = Allocated(decoder, mark);
        (long allocated, int frames) = Allocated(decoder, mark);
        Assert.Equal(1, frames);
        Assert.InRange(allocated, 1, 160); // one Mark, and the list's slot for it is taken before
    }

    [Fact]
    public void TryRead_RandomBytesAndFrames_BoundedAndFindsTheNextFrame()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (int round = 0; round < 400; round++)
        {
            using var decoder = new FrameDecoder();
            List<byte> stream = [];
            int pieces = random.Next(1, 20);
            for (int i = 0; i < pieces; i++)
            {
                stream.AddRange(Piece(random));
            }

            // Whatever was claimed before is paid off; then the stream is in step again.
            stream.AddRange(new byte[FrameCodec.HeaderSize + ChannelProtocol.MaxBody]);
            stream.AddRange(Good);
            List<Frame> frames = Decoding.Feed(decoder, stream.ToArray(), random);
            Assert.True(frames.Count > 0 && frames[^1].Message is Budget, $"seed {seed}, round {round}: the last frame was not found");
            Assert.InRange(decoder.HeldBytes, 0, 4_096 + 131_072);
            FrameCounts counts = decoder.Counts;
            Assert.Equal(frames.Count, counts.Frames);
            Assert.All(frames, frame => _ = MessageRules.Fault(frame.Message));
        }
    }

    [Fact]
    public void EncodeDecode_RandomMessages_IsIdentity()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (int round = 0; round < 150; round++)
        {
            Budget budget = Samples.Budget(random.Next(0, ChannelProtocol.MaxVcpus + 1), (ulong)random.NextInt64(1L << random.Next(1, 52)));
            Frame frame = Assert.Single(Decoding.Frames(FrameCodec.Encode(budget)));
            Assert.True(budget.Equals(frame.Message), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void Encode_TooLarge_Throws() =>
        Assert.Throws<ArgumentException>(() => FrameCodec.Encode(new Goodbye { Detail = new string('x', ChannelProtocol.MaxBody) }));

    [Fact]
    public void Encode_LargestMachine_FitsInAFrame() =>
        Assert.InRange(FrameCodec.SizeOf(Samples.Budget(ChannelProtocol.MaxVcpus, long.MaxValue / 4)), 1, ChannelProtocol.MaxBody);

    private static IEnumerable<byte> Piece(Random random)
    {
        byte[] bytes = new byte[random.Next(0, 300)];
        random.NextBytes(bytes);
        switch (random.Next(6))
        {
            case 0:
                return bytes;
            case 1:
                return Decoding.Frame((byte)random.Next(0, 9), bytes); // a right checksum around nonsense
            case 2:
                return Decoding.Claim((uint)random.Next(0, 2 * ChannelProtocol.MaxBody));
            case 3:
                byte[] cut = FrameCodec.Encode(Samples.All[random.Next(Samples.All.Length)].Message);
                return cut.Take(random.Next(cut.Length));
            case 4:
                byte[] mutated = FrameCodec.Encode(Samples.All[random.Next(Samples.All.Length)].Message)[FrameCodec.HeaderSize..];
                mutated[random.Next(mutated.Length)] ^= (byte)(1 << random.Next(8));
                return Decoding.Frame((byte)random.Next(1, 8), mutated);
            default:
                return FrameCodec.Encode(Samples.All[random.Next(Samples.All.Length)].Message);
        }
    }

    private static (long Bytes, int Frames) Allocated(FrameDecoder decoder, byte[] stream)
    {
        // The buffer is the pool's, made once for all connections: whether an earlier test has had it made depends on their order.
        ArrayPool<byte>.Shared.Return(ArrayPool<byte>.Shared.Rent(FrameCodec.HeaderSize + ChannelProtocol.MaxBody));
        int frames = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int at = 0; at < stream.Length;)
        {
            Span<byte> free = decoder.Free.Span;
            int count = Math.Min(free.Length, stream.Length - at);
            stream.AsSpan(at, count).CopyTo(free);
            decoder.Advance(count);
            at += count;
            while (decoder.TryRead(out _))
            {
                frames++;
            }
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before, frames);
    }
}
