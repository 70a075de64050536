using System.Text;

namespace Keck.Metering.Tests;

public sealed class TraceReaderTests(ITestOutputHelper log)
{
    private const string Header = """{"format":"keck-trace","version":1,"topology":{"cpus":[{"cpu":0,"core":0,"package":0,"numaNode":0}]},"meters":[{"id":"package-0","domain":"package","package":0,"origin":"rapl","quality":"measured","selected":true}]}""";
    private const string Tick = "{\"tick\":1,\"startNanoseconds\":0,\"endNanoseconds\":100";

    [Theory]
    [InlineData("", "empty")]
    [InlineData("{}", "format is missing")]
    [InlineData("{\"format\":\"pcap\"}", "this is no trace")]
    [InlineData("{\"format\":\"keck-trace\",\"version\":2}", "newer")]
    [InlineData("GIF89a\n", "no JSON object")]
    [InlineData("[1,2]\n", "must be a JSON object")]
    [InlineData("{\"format\":\"keck-trace\",\"version\":1,\"topology\":{\"cpus\":[{\"cpu\":0},{\"cpu\":0}]}}", "CPU 0 twice")]
    [InlineData("{\"format\":\"keck-trace\",\"version\":1,\"topology\":{\"cpus\":[{\"cpu\":2000000000}]}}", "0 to 65535")]
    [InlineData("{\"format\":\"keck-trace\",\"version\":1,\"topology\":{},\"meters\":[{\"id\":\"a\",\"domain\":\"soul\",\"origin\":\"rapl\",\"quality\":\"measured\"}]}", "\"soul\" is not known")]
    public void Construct_BadHeader_SaysWhatAndWhere(string header, string expected)
    {
        TraceFormatException e = Assert.Throws<TraceFormatException>(() => new TraceReader(new MemoryStream(Encoding.UTF8.GetBytes(header))));
        Assert.StartsWith("trace line 1: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hello", "no JSON object")]
    [InlineData("{\"startNanoseconds\":0}", "tick is missing")]
    [InlineData(Tick + ",\"meters\":[{\"id\":\"psu-9\",\"microjoules\":1}]}", "\"psu-9\" is not in the header")]
    [InlineData(Tick + ",\"meters\":[{\"id\":\"package-0\",\"microjoules\":-4}]}", "microjoules must be a whole number from 0 to 1000000000000000, found -4")]
    [InlineData(Tick + ",\"meters\":[{\"id\":\"package-0\",\"microjoules\":99999999999999999999999}]}", "found 99999999999999999999999")]
    [InlineData(Tick + ",\"cpus\":[{\"cpu\":0,\"busyNanoseconds\":1},{\"cpu\":0,\"busyNanoseconds\":1}]}", "CPU 0 twice")]
    [InlineData(Tick + ",\"threads\":[{\"tid\":1,\"runs\":[{\"cpu\":0,\"nanoseconds\":1,\"sharedNanoseconds\":2}]}]}", "sharedNanoseconds must be a whole number from 0 to 1")]
    [InlineData(Tick + ",\"threads\":[{\"tid\":1,\"role\":\"king\"}]}", "role \"king\"")]
    [InlineData(Tick + ",\"threads\":{}}", "threads must be an array, found an object")]
    [InlineData(Tick + ",\"threads\":[{\"tid\":1,\"name\":\"\\ud800\"}]}", "UTF-8")]
    [InlineData(Tick + ",\"x\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}", "no JSON object")]
    [InlineData(Tick + "}\n{\"tick\":2,\"startNanoseconds\":50,\"endNanoseconds\":200}", "contiguous", 3)]
    [InlineData(Tick + "}\n{\"tick\":1,\"startNanoseconds\":100,\"endNanoseconds\":200}", "forward", 3)]
    [InlineData("{\"tick\":1,\"startNanoseconds\":100,\"endNanoseconds\":0}", "lasts -100 ns")]
    [InlineData(Tick + ",\"processes\":[{\"pid\":1,\"row\":2000000000}]}", "row must be")]
    [InlineData(Tick + ",\"processes\":[{\"pid\":1,\"row\":1},{\"pid\":1,\"row\":2}]}", "keeps its row")]
    [InlineData(Tick + ",\"processes\":[{\"pid\":0}]}", "0 is no pid")]
    [InlineData(Tick + ",\"threads\":[{\"tid\":0,\"pid\":1}]}", "0 is no pid")]
    public void Read_BadLine_SaysWhatAndWhere(string lines, string expected, long line = 2)
    {
        TraceFormatException e = Assert.Throws<TraceFormatException>(() => ReadAll(Encoding.UTF8.GetBytes(Header + "\n" + lines + "\n")));
        Assert.Equal(line, e.Line);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CgroupWithoutThreads_IsAProcessWithANumberBelowZero()
    {
        // What ran in a cgroup and in no thread that was seen, as a recording without eBPF has it.
        string tick = Tick + ",\"processes\":[{\"pid\":-3,\"name\":\"other\"}],\"threads\":[{\"tid\":-3,\"pid\":-3,\"name\":\"other\",\"runs\":[{\"cpu\":0,\"nanoseconds\":50}]}]}\n";
        using TraceReader reader = new(new MemoryStream(Encoding.UTF8.GetBytes(Header + "\n" + tick)));
        Assert.True(reader.Read());
        ThreadRow thread = reader.Observation.ThreadTable[reader.Observation.Threads.Items[0].Row];
        Assert.Equal((-3, -3), (thread.Tid, reader.Observation.ProcessTable[thread.Process].Pid));
    }

    [Fact]
    public void Read_LineWithoutEnd_IsBounded()
    {
        TraceFormatException e = Assert.Throws<TraceFormatException>(() => new TraceReader(new EndlessStream()));
        Assert.Contains("longer than 64 MiB", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ForeignThreads_GetTheirProcessAndKind()
    {
        string tick = Tick + ",\"threads\":[{\"tid\":11,\"pid\":10,\"startNanoseconds\":5,\"name\":\"user\"},{\"tid\":3,\"pid\":3,\"name\":\"[kthreadd]\"},{\"tid\":4,\"pid\":4,\"name\":\"x\",\"kernel\":true},{\"tid\":5,\"pid\":5,\"name\":\"vhost-1\",\"machine\":\"u-1\",\"role\":\"vhost\"}]}";
        using TraceReader reader = new(new MemoryStream(Encoding.UTF8.GetBytes(Header + "\n" + tick)));
        Assert.True(reader.Read());
        ThreadRow[] rows = [.. reader.Observation.Threads.Items.ToArray().Select(thread => reader.Observation.ThreadTable[thread.Row])];
        Assert.Equal([false, true, true, false], rows.Select(row => row.Kernel));
        Assert.Equal([10, 3, 4, 5], rows.Select(row => reader.Observation.ProcessTable[row.Process].Pid));
        Assert.Equal("u-1", reader.Observation.Machines[reader.Observation.ProcessTable[rows[3].Process].Machine].Uuid);
        Assert.Equal(ThreadRole.Vhost, rows[3].Role);
        Assert.False(reader.Read());
        Assert.Null(reader.Cut);
    }

    [Fact]
    public void Read_ManyShortLivedThreads_ForgetsThem()
    {
        StringBuilder trace = new(Header + "\n");
        for (int tick = 0; tick < 3000; tick++)
        {
            _ = trace.Append($"{{\"tick\":{tick},\"startNanoseconds\":{tick},\"endNanoseconds\":{tick + 1},\"threads\":[{{\"tid\":{tick + 1},\"pid\":1}}]}}\n");
        }

        using TraceReader reader = new(new MemoryStream(Encoding.UTF8.GetBytes(trace.ToString())));
        while (reader.Read())
        {
        }

        Assert.InRange(reader.Observation.ThreadTable.Count, 1, 800);
    }

    [Fact]
    public void Read_WrittenAgain_IsTheSameBytes()
    {
        (byte[] trace, _) = ReplayTests.Record(11, 9, 100);
        using MemoryStream again = new();
        using (TraceReader reader = new(new MemoryStream(trace)))
        {
            using TraceWriter writer = new(again, reader.Header);
            while (reader.Read())
            {
                writer.Write(reader.Observation);
            }
        }

        Assert.Equal(Encoding.UTF8.GetString(trace), Encoding.UTF8.GetString(again.ToArray()));
    }

    [Fact]
    public void Read_MutatedTraces_FailInOneWayOnly()
    {
        (byte[] trace, _) = ReplayTests.Record(7, 5, 6);
        int seed = Environment.TickCount;
        log.WriteLine($"seed {seed}");
        Random random = new(seed);
        byte[][] pieces = [.. ((string[])["-", "9", "99999999999", "e9", "null", "\"", "[", "}", "\n", "\0", "true", "\\ud800"]).Select(Encoding.UTF8.GetBytes)];
        int refused = 0;
        for (int round = 0; round < 300; round++)
        {
            List<byte> bytes = [.. trace];
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                int at = random.Next(bytes.Count);
                switch (random.Next(4))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes.InsertRange(at, pieces[random.Next(pieces.Length)]); break;
                    case 2: bytes.RemoveRange(at, Math.Min(bytes.Count - at, random.Next(1, 40))); break;
                    default: bytes[at] = (byte)('0' + random.Next(10)); break;
                }
            }

            byte[] mutated = round % 3 == 0 ? Broken(ReplayTests.Compressed([.. bytes]), random) : [.. bytes];
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                _ = Replay.Run(new MemoryStream(mutated), new ReplayOptions(), Stream.Null);
            }
            catch (TraceFormatException)
            {
                refused++;
            }

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 512 << 20, $"seed {seed}, round {round}: unbounded allocation");
        }

        Assert.InRange(refused, 50, 300);
    }

    private static byte[] Broken(byte[] gzip, Random random)
    {
        gzip[random.Next(2, gzip.Length)] ^= (byte)random.Next(256);
        return gzip;
    }

    private static void ReadAll(byte[] trace)
    {
        using TraceReader reader = new(new MemoryStream(trace));
        while (reader.Read())
        {
        }
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            buffer.Fill((byte)'a');
            return buffer.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }
}
