using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Keck.VsockProtocol;

namespace Keck.Bench;

/// <summary>A Budget of 64 vCPUs through the channel's frames, beside the same as JSON lines.</summary>
internal static class FrameBench
{
    private const int Vcpus = 64;
    private const int WarmUpRounds = 20;
    private const int Rounds = 31;
    private const int FramesARound = 500;

    internal static void Run(TextWriter output)
    {
        Budget budget = Made();
        byte[] frame = new byte[FrameCodec.SizeOf(budget)];
        using var decoder = new FrameDecoder();
        JsonBudget plain = Plain(budget);
        var line = new ArrayBufferWriter<byte>(32_768);
        using var writer = new Utf8JsonWriter(line);

        (double Micros, double Fastest, double Slowest, long Bytes) encode = Measure(() => FrameCodec.Encode(budget, frame.AsSpan(0, FrameCodec.SizeOf(budget))));
        (double Micros, double Fastest, double Slowest, long Bytes) decode = Measure(() => Decode(decoder, frame, budget.VcpuActive.Count));
        (double Micros, double Fastest, double Slowest, long Bytes) write = Measure(() => Write(writer, line, plain));
        int lineLength = line.WrittenCount;
        (double Micros, double Fastest, double Slowest, long Bytes) read = Measure(() => Read(line.WrittenSpan[..^1], plain.VcpuActive.Count));

        double frames = encode.Micros + decode.Micros, lines = write.Micros + read.Micros;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            ## Channel frames

            A `Budget` of {Vcpus} vCPUs with bounds, quality and origin: `FrameCodec` and `FrameDecoder` (header, CRC-32C, protobuf), beside the
            same content as JSON lines (System.Text.Json, generated). One thread, medians of {Rounds} rounds of {FramesARound}; what is read is compared with what was written.

            | | bytes | encode | decode | both | range | a second | allocated: encode, decode |
            |---|---|---|---|---|---|---|---|
            | frames | {frame.Length:N0} | {encode.Micros:F1} µs | {decode.Micros:F1} µs | **{frames:F1} µs** | {encode.Fastest + decode.Fastest:F1}–{encode.Slowest + decode.Slowest:F1} µs | {1e6 / frames:N0} | {encode.Bytes} B, {decode.Bytes} B |
            | JSON lines | {lineLength:N0} | {write.Micros:F1} µs | {read.Micros:F1} µs | {lines:F1} µs | {write.Fastest + read.Fastest:F1}–{write.Slowest + read.Slowest:F1} µs | {1e6 / lines:N0} | {write.Bytes} B, {read.Bytes} B |
            | ratio | {(double)lineLength / frame.Length:F1} × | {write.Micros / encode.Micros:F1} × | {read.Micros / decode.Micros:F1} × | **{lines / frames:F1} ×** | | | |

            """));
    }

    private static (double Micros, double Fastest, double Slowest, long Bytes) Measure(Action once)
    {
        var rounds = new List<double>();
        long allocated = 0;
        for (int round = 0; round < WarmUpRounds + Rounds; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < FramesARound; i++)
            {
                once();
            }

            double elapsed = Stopwatch.GetElapsedTime(start).TotalMicroseconds / FramesARound;
            if (round >= WarmUpRounds)
            {
                rounds.Add(elapsed);
                allocated = (GC.GetAllocatedBytesForCurrentThread() - before) / FramesARound;
            }
        }

        rounds.Sort();
        return (rounds[rounds.Count / 2], rounds[0], rounds[^1], allocated);
    }

    private static void Decode(FrameDecoder decoder, byte[] frame, int vcpus)
    {
        for (int at = 0; at < frame.Length;)
        {
            Span<byte> free = decoder.Free.Span;
            int count = Math.Min(free.Length, frame.Length - at);
            frame.AsSpan(at, count).CopyTo(free);
            decoder.Advance(count);
            at += count;
            if (decoder.TryRead(out Frame read))
            {
                Check(((Budget)read.Message).VcpuActive.Count, vcpus);
                return;
            }
        }

        throw new UnreachableException("no frame came out");
    }

    private static void Write(Utf8JsonWriter writer, ArrayBufferWriter<byte> line, JsonBudget budget)
    {
        line.ResetWrittenCount();
        writer.Reset(line);
        JsonSerializer.Serialize(writer, budget, JsonBudgetContext.Default.JsonBudget);
        line.Write("\n"u8);
    }

    private static void Read(ReadOnlySpan<byte> line, int vcpus) =>
        Check(JsonSerializer.Deserialize(line, JsonBudgetContext.Default.JsonBudget)!.VcpuActive.Count, vcpus);

    private static void Check(int read, int written)
    {
        if (read != written)
        {
            throw new UnreachableException($"{read} vCPUs read, {written} written");
        }
    }

    private static Budget Made()
    {
        var random = new Random(1);
        var budget = new Budget { Interval = 86_400, IntervalNanoseconds = 1_000_012_345, BaseInterval = 12, OverheadActive = Figure(random), DramActive = Figure(random) };
        for (int cpu = 0; cpu < Vcpus; cpu++)
        {
            budget.VcpuActive.Add(Figure(random));
        }

        return budget;
    }

    // A day at some watts.
    private static WireFigure Figure(Random random)
    {
        long energy = random.NextInt64(100_000_000_000, 500_000_000_000);
        return EnergyQuantum.ToGuest(energy, energy / 100 * 95, energy / 100 * 105, WireQuality.Measured, WireOrigin.Rapl, new WireFigure());
    }

    private static JsonBudget Plain(Budget budget) => new()
    {
        Interval = budget.Interval,
        IntervalNanoseconds = budget.IntervalNanoseconds,
        BaseInterval = budget.BaseInterval,
        VcpuActive = [.. budget.VcpuActive.Select(Plain)],
        OverheadActive = Plain(budget.OverheadActive),
        DramActive = Plain(budget.DramActive),
    };

    private static JsonFigure Plain(WireFigure figure) =>
        new(figure.EnergyMicrojoules, figure.LowMicrojoules, figure.HighMicrojoules, figure.Quality == WireQuality.Measured ? "measured" : "other", "rapl");
}
