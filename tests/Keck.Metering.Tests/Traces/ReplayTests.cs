using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Keck.Tests;

namespace Keck.Metering.Tests;

public sealed class ReplayTests
{
    public static TheoryData<string> Cases =>
        [.. Directory.GetDirectories(Repository.PathOf("tests", "fixtures", "traces")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_GoldenTrace_WritesTheExpectedLines(string name)
    {
        string folder = Repository.PathOf("tests", "fixtures", "traces", name);
        string actual = Replayed(File.ReadAllBytes(Path.Combine(folder, "trace.ndjson")), out ReplaySummary summary);
        string golden = Path.Combine(folder, "expected.ndjson");
        if (Environment.GetEnvironmentVariable("KECK_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(golden, actual);
        }

        Assert.Null(summary.Cut);
        Assert.Equal(File.ReadAllText(golden), actual);
        AssertConserved(actual, summary);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(38)]
    [InlineData(45)] // A CPU has gone away before.
    public void Run_RecordedFromTheMiddle_GivesTheLiveBytes(int ticksBefore)
    {
        for (int seed = 1; seed <= 6; seed++)
        {
            (byte[] trace, string live) = Record(seed, ticksBefore, 120);
            string first = Replayed(trace, out ReplaySummary summary);
            Assert.True(live == first, $"seed {seed}: replay differs from live at {FirstDifference(live, first)}");
            Assert.Equal(first, Replayed(trace, out _));
            Assert.Equal(120, summary.Ticks);
            AssertConserved(first, summary);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(45)] // A CPU has gone away before.
    public void Run_RecordedCalibrated_SameProfileGivesTheLiveBytesAndAnotherDoesNot(int ticksBefore)
    {
        MachineProfile profile = Calibration(10);
        (byte[] trace, string live) = Record(3, ticksBefore, 60, profile);
        Assert.Contains($"\"calibration\":\"{profile.Hash}\"", Encoding.UTF8.GetString(trace), StringComparison.Ordinal);
        Assert.Contains("\"model\":\"calibrated\"", live, StringComparison.Ordinal);
        Assert.Equal(live, Replayed(trace, out ReplaySummary summary, profile));
        Assert.Equal(profile.Hash, summary.Header.InitialState!.Calibration);
        Assert.NotEqual(live, Replayed(trace, out _, Calibration(20)));
        Assert.NotEqual(live, Replayed(trace, out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    public void Run_RecordedWithAPriorOfItsCpu_TheHeadersPriorGivesTheLiveBytes(int ticksBefore)
    {
        IdlePrior prior = new(0.35, 0.1, 0.6, "a \"generation\"");
        (byte[] trace, string live) = Record(3, ticksBefore, 60, prior: prior);
        Assert.Equal(live, Replayed(trace, out ReplaySummary summary));
        Assert.Equal(prior, summary.Header.InitialState!.Attribution.IdlePrior);

        // It is what the figures are by.
        byte[] other = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(trace).Replace("\"idleToFull\":0.35", "\"idleToFull\":0.2", StringComparison.Ordinal));
        Assert.NotEqual(live, Replayed(other, out _));
    }

    [Theory]
    [InlineData("\"least\":0.1", "\"least\":0.5")]
    [InlineData("\"most\":0.6", "\"most\":0.3")]
    [InlineData("\"idleToFull\":0.35", "\"idleToFull\":0")]
    public void Run_PriorIsNone_IsRefused(string was, string now)
    {
        (byte[] trace, _) = Record(3, 0, 2, prior: new IdlePrior(0.35, 0.1, 0.6, "a generation"));
        byte[] changed = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(trace).Replace(was, now, StringComparison.Ordinal));
        _ = Assert.Throws<TraceFormatException>(() => Replayed(changed, out _));
    }

    [Fact]
    public void Run_TraceWithoutAState_TakesThePriorOfItsCpuAsALiveAgentWould()
    {
        IdlePrior prior = new(0.35, 0.1, 0.6, "a generation");
        (byte[] recorded, string live) = Record(3, 0, 30, prior: prior);
        byte[] bare = WithoutState(recorded);
        string Bare(IdlePrior? of)
        {
            using MemoryStream output = new();
            _ = Replay.Run(new MemoryStream(bare), new ReplayOptions { IdlePrior = cpu => cpu.Model == 106 ? of : null, Idle = IdlePolicy.Proportional }, output);
            return Encoding.UTF8.GetString(output.ToArray());
        }

        Assert.NotEqual(Bare(null), Bare(prior));

        // A state says what was assumed: nobody is asked.
        using MemoryStream again = new();
        _ = Replay.Run(new MemoryStream(recorded), new ReplayOptions { IdlePrior = _ => throw new InvalidOperationException("asked") }, again);
        Assert.Equal(live, Encoding.UTF8.GetString(again.ToArray()));

        static byte[] WithoutState(byte[] trace)
        {
            string[] lines = Encoding.UTF8.GetString(trace).Split('\n', 2);
            System.Text.Json.Nodes.JsonObject header = System.Text.Json.Nodes.JsonNode.Parse(lines[0])!.AsObject();
            _ = header.Remove("initialState");
            return Encoding.UTF8.GetBytes($"{header.ToJsonString()}\n{lines[1]}");
        }
    }

    [Fact]
    public void Run_RecordedUncalibrated_StartsFromTheStaticPowerFound()
    {
        (byte[] trace, _) = Record(3, 17, 1);
        using MemoryStream output = new();
        _ = Replay.Run(new MemoryStream(trace), new ReplayOptions { Profile = Calibration(10), Idle = IdlePolicy.Separate }, output);
        using JsonDocument tick = JsonDocument.Parse(output.ToArray());
        JsonElement idle = tick.RootElement.GetProperty("consumers").EnumerateArray()
            .Single(consumer => consumer.GetProperty("kind").GetString() == "idle" && consumer.GetProperty("id").GetString() == "package-0");

        // 10 W over the tick's 90 to 110 ms.
        Assert.InRange(idle.GetProperty("microjoules").GetProperty("package-0").GetInt64(), 899_000, 1_101_000);
    }

    [Theory]
    [InlineData("-5")]
    [InlineData("1e9")]
    public void Run_LearnedFactorIsNone_IsRefused(string factor)
    {
        (byte[] trace, _) = Record(3, 17, 5);
        string text = Encoding.UTF8.GetString(trace);
        int end = text.IndexOf(']', text.IndexOf("\"factors\":[", StringComparison.Ordinal)), last = text.LastIndexOf(',', end);
        byte[] changed = Encoding.UTF8.GetBytes(string.Concat(text.AsSpan(0, last + 1), factor, text.AsSpan(end)));
        TraceFormatException refused = Assert.Throws<TraceFormatException>(() => Replayed(changed, out _));
        Assert.Contains("factors", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WithoutTheInitialState_DiffersFromLive()
    {
        (byte[] trace, string live) = Record(3, 17, 30);
        using MemoryStream output = new();
        _ = Replay.Run(new MemoryStream(trace), new ReplayOptions { ColdStart = true }, output);
        Assert.NotEqual(live, Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void Run_ModelOverridden_UsesIt()
    {
        (byte[] trace, _) = Record(3, 0, 10);
        using MemoryStream output = new();
        ReplaySummary summary = Replay.Run(new MemoryStream(trace), new ReplayOptions { OverrideModel = true, Model = ModelKind.CpuTimeRatio, Idle = IdlePolicy.Separate }, output);
        string text = Encoding.UTF8.GetString(output.ToArray());
        Assert.Equal(IdlePolicy.Separate, summary.Idle);
        Assert.Equal(10, text.Split("\"model\":\"time\"").Length - 1);
        Assert.DoesNotContain("staticMicrojoules", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_TicksMerged_EqualsTheLongTick()
    {
        string header = """{"format":"keck-trace","version":1,"topology":{"cpus":[{"cpu":0}]},"meters":[{"id":"package-0","domain":"package","package":0,"origin":"rapl","quality":"measured","selected":true,"knownStaticWatts":10}]}""" + "\n";
        string Tick(int tick, int from, int to) =>
            $$$"""{"tick":{{{tick}}},"startNanoseconds":{{{from}}},"endNanoseconds":{{{to}}},"meters":[{"id":"package-0","microjoules":{{{(to - from) / 50}}}}],"cpus":[{"cpu":0,"busyNanoseconds":{{{to - from}}}}],"threads":[{"tid":1,"pid":1,"runs":[{"cpu":0,"nanoseconds":{{{(to - from) * 3L / 4}}}}]},{"tid":2,"pid":2,"runs":[{"cpu":0,"nanoseconds":{{{(to - from) / 4}}}}]}]}""" + "\n";
        string parts = header + string.Concat(Enumerable.Range(0, 10).Select(i => Tick(i + 1, i * 100_000_000, (i + 1) * 100_000_000)));
        string whole = header + Tick(1, 0, 1_000_000_000);
        Assert.Equal(Totals(Replayed(Encoding.UTF8.GetBytes(whole), out _)), Totals(Replayed(Encoding.UTF8.GetBytes(parts), out _)));
    }

    [Fact]
    public void Run_Gzip_IsTheSame()
    {
        (byte[] trace, string live) = Record(5, 3, 40);
        Assert.Equal(live, Replayed(Compressed(trace), out _));
    }

    [Fact]
    public void Run_GzipCut_DeliversWhatCameBefore()
    {
        (byte[] trace, string live) = Record(5, 3, 100);
        byte[] gzip = Compressed(trace);
        string part = Replayed(gzip[..(gzip.Length / 2)], out ReplaySummary summary);
        Assert.NotNull(summary.Cut);
        Assert.InRange(summary.Ticks, 1, 99);
        Assert.StartsWith(part, live, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_CutInALine_DeliversWhatCameBefore()
    {
        (byte[] trace, string live) = Record(5, 3, 10);
        string part = Replayed(trace[..^20], out ReplaySummary summary);
        Assert.Equal(9, summary.Ticks);
        Assert.Equal("line 11 is cut in the middle; the 9 ticks before are used", summary.Cut);
        Assert.StartsWith(part, live, StringComparison.Ordinal);
    }

    // As it comes out of its file: with its hash.
    private static MachineProfile Calibration(double watts) => MachineProfileFile.Read(MachineProfileFile.Write(new MachineProfile
    {
        Cpu = new TraceScenario(1).Header().Cpu,
        Cpus = new TraceScenario(1).Observation.Topology.Cpus.Length,
        Static = System.Collections.Immutable.ImmutableSortedDictionary<string, StaticPower>.Empty.Add("package-0", new StaticPower(watts, 0.1)),
        Models = [new PowerModel(PowerNeeds.Time, [0.01, 0, 0, 0, 0, 0, 0, 0.005], 0.08)],
        Alpha = 0.4,
        Beta = 3,
    }));

    internal static (byte[] Trace, string Live) Record(int seed, int ticksBefore, int ticks, MachineProfile? profile = null, IdlePrior? prior = null)
    {
        TraceScenario scenario = new(seed);
        Attributor attributor = new(new AttributionOptions { Alpha = 0.31, Profile = profile, IdlePrior = prior });
        for (int i = 0; i < ticksBefore; i++)
        {
            scenario.Next();
            _ = attributor.Attribute(scenario.Observation);
        }

        using MemoryStream trace = new(), live = new();
        TraceHeader header = scenario.Header(attributor.State);
        using TraceWriter writer = new(trace, header with { InitialState = header.InitialState! with { Attribution = attributor.Options, Calibration = profile?.Hash } });
        using ReplayWriter replay = new(live);
        for (int i = 0; i < ticks; i++)
        {
            scenario.Next();
            replay.Write(scenario.Observation, attributor.Attribute(scenario.Observation), IdlePolicy.Proportional);
            writer.Write(scenario.Observation);
        }

        return (trace.ToArray(), Encoding.UTF8.GetString(live.ToArray()));
    }

    internal static byte[] Compressed(byte[] bytes)
    {
        using MemoryStream target = new();
        using (GZipStream gzip = new(target, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return target.ToArray();
    }

    private static string Replayed(byte[] trace, out ReplaySummary summary, MachineProfile? profile = null)
    {
        using MemoryStream output = new();
        summary = Replay.Run(new MemoryStream(trace), new ReplayOptions { Profile = profile }, output);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    // Σ over the written lines, by nobody's code but this: equals what the meters said.
    private static void AssertConserved(string lines, ReplaySummary summary)
    {
        Dictionary<string, long> sums = [];
        foreach (((string _, string meter), long value) in Totals(lines))
        {
            sums[meter] = sums.GetValueOrDefault(meter) + value;
        }

        foreach ((string meter, Microjoules total) in summary.Energy)
        {
            Assert.Equal(total.Value, sums.GetValueOrDefault(meter));
        }
    }

    private static SortedDictionary<(string Consumer, string Meter), long> Totals(string lines)
    {
        SortedDictionary<(string, string), long> totals = [];
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            foreach (JsonElement consumer in document.RootElement.GetProperty("consumers").EnumerateArray())
            {
                string id = consumer.GetProperty("kind").GetString() + "/" + consumer.GetProperty("id").GetString();
                foreach (string member in (string[])["microjoules", "staticMicrojoules"])
                {
                    if (consumer.TryGetProperty(member, out JsonElement values))
                    {
                        foreach (JsonProperty value in values.EnumerateObject())
                        {
                            totals[(id, value.Name)] = totals.GetValueOrDefault((id, value.Name)) + value.Value.GetInt64();
                        }
                    }
                }
            }
        }

        return totals;
    }

    private static string FirstDifference(string a, string b)
    {
        string[] left = a.Split('\n'), right = b.Split('\n');
        int line = Enumerable.Range(0, Math.Min(left.Length, right.Length)).FirstOrDefault(i => left[i] != right[i], -1);
        return line < 0 ? "the end" : $"line {line + 1}:\n{left[line]}\n{right[line]}";
    }
}
