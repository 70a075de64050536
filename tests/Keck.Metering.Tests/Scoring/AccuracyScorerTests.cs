using System.Text;

namespace Keck.Metering.Tests;

public sealed class AccuracyScorerTests
{
    private const string TruthTick = """{"tick":1,"consumers":[{"kind":"machine","id":"a","package":8000,"dram":2000},{"kind":"process","id":"7","package":10000,"dram":0}],"static":{"package":4000,"dram":1000}}""";

    [Fact]
    public void Run_HandMadeTick_GivesTheFiguresOfThePaper()
    {
        // a: estimated 9000 + 1000 = 10000 of 10000, parts off by 1000 each; 7: 14000 of 10000.
        string estimate = """
            {"tick":1,"consumers":[{"kind":"machine","id":"a","microjoules":{"package-0":9000,"dram-0":1000},"low":9000,"high":11000},
            {"kind":"process","id":"7","microjoules":{"package-0":14000,"dram-0":0},"low":12000,"high":16000},
            {"kind":"idle","id":"package-0","microjoules":{"package-0":6000}}]}
            """.ReplaceLineEndings("");
        AccuracyReport report = Score(estimate, TruthTick, tick: 1_000_000_000);
        Assert.Equal(0.2, report.Error!.Value, 12);
        Assert.Equal(0, report.MachineError!.Value, 12);
        Assert.Equal(0.4, report.ProcessError!.Value, 12);
        Assert.Equal(5000.0 / 18000, report.PackageError!.Value, 12);
        Assert.Equal(0.5, report.DramError!.Value, 12);
        Assert.Equal(0.4, report.WorstConsumerError!.Value, 12);
        Assert.Equal(0.2, report.StaticBias!.Value, 12);
        Assert.Equal(0.2, report.WindowError!.Value, 12);
        Assert.Equal(2, report.Bounded);
        Assert.Equal(0.5, report.Coverage);
        Assert.Equal(0, report.Above);

        // Widths 0.2 and 0.4: the lower of two is the median, to half a percent. Score: 2000 + 4000 + 40 × 2000.
        Assert.InRange(report.MedianWidth!.Value, 0.199, 0.201);
        Assert.Equal(86000.0 / 20000, report.IntervalScore!.Value, 12);
        Assert.Null(report.NotConserved);
        Assert.Null(report.SystemError);
    }

    [Fact]
    public void Run_OppositeErrors_CancelOverTheRunAndNotInWindows()
    {
        string estimate = Lines(Estimate(1, 6000), Estimate(2, 14000)), truth = Lines(Truth(1, 10000), Truth(2, 10000));
        AccuracyReport report = Score(estimate, truth, tick: 1_000_000_000);
        Assert.Equal(0, report.Error!.Value, 12);
        Assert.Equal(0.4, report.WindowError!.Value, 12);
        Assert.Equal(2, report.Windows);

        // Both in one window: they cancel there too.
        Assert.Equal(0, Score(estimate, truth, tick: 500_000_000).WindowError!.Value, 12);
    }

    [Fact]
    public void Run_BoundsOfTicks_AddLinearlyInTheWindow()
    {
        string estimate = Lines(Estimate(1, 6000, 5000, 7000), Estimate(2, 6000, 5000, 7000));
        Assert.Equal(1, Score(estimate, Lines(Truth(1, 4000), Truth(2, 9900)), tick: 500_000_000).Coverage);
        AccuracyReport outside = Score(estimate, Lines(Truth(1, 4000), Truth(2, 10100)), tick: 500_000_000);
        Assert.Equal(0, outside.Coverage);
        Assert.Equal(1, outside.Above);
    }

    [Fact]
    public void Run_LittleTruth_HasNoWindowToCover()
    {
        Assert.Equal(0, Score(Estimate(1, 900, 0, 10), Truth(1, 1000), tick: 1_000_000_000).Bounded);
        Assert.Equal(1, Score(Estimate(1, 900, 0, 10), Truth(1, 1001), tick: 1_000_000_000).Bounded);
    }

    [Fact]
    public void Run_ConsumersOnOneSideOnly_CountWhole()
    {
        string truth = """{"tick":1,"consumers":[{"kind":"process","id":"1","package":3000},{"kind":"process","id":"2","package":5000}]}""";
        string estimate = """{"tick":1,"consumers":[{"kind":"process","id":"1","microjoules":{"package-0":3000},"low":0,"high":9000},{"kind":"process","id":"3","microjoules":{"package-0":2000}}]}""";
        AccuracyReport report = Score(estimate, truth, tick: 1_000_000_000);
        Assert.Equal(7000.0 / 8000, report.Error!.Value, 12);

        // Who is not in the estimate is bounded by nothing, and not covered.
        Assert.Equal(2, report.Bounded);
        Assert.Equal(0.5, report.Coverage);
        Assert.Null(report.StaticBias);
    }

    [Fact]
    public void Run_NoBoundsGiven_SaysNothingOfThem()
    {
        AccuracyReport report = Score(Estimate(1, 9000), Truth(1, 10000), tick: 1_000_000_000);
        Assert.Equal(0, report.Bounded);
        Assert.Null(report.Coverage);
        Assert.Null(report.MedianWidth);
        Assert.Null(report.IntervalScore);
    }

    [Fact]
    public void Run_StaticBornByConsumers_IsNotActive()
    {
        string estimate = """{"tick":1,"consumers":[{"kind":"process","id":"1","microjoules":{"package-0":3000},"staticMicrojoules":{"package-0":4000},"low":3000,"high":3000}]}""";
        Assert.Equal(0, Score(estimate, """{"tick":1,"consumers":[{"kind":"process","id":"1","package":3000}]}""", tick: 1_000_000_000).Error);
    }

    [Fact]
    public void Run_WithTrace_CountsTicksNotConserved()
    {
        string trace = Lines(
            """{"format":"keck-trace","version":1,"topology":{"cpus":[{"cpu":0,"core":0,"package":0,"numaNode":0}]},"meters":[{"id":"strange","domain":"package","package":0,"origin":"hwmon","quality":"measured","selected":true}]}""",
            """{"tick":1,"startNanoseconds":0,"endNanoseconds":500000000,"meters":[{"id":"strange","microjoules":5000,"readNanoseconds":500000000}],"cpus":[],"threads":[]}""",
            """{"tick":2,"startNanoseconds":500000000,"endNanoseconds":1000000000,"meters":[{"id":"strange","microjoules":5000,"readNanoseconds":1000000000}],"cpus":[],"threads":[]}""");
        string estimate = Lines(
            """{"tick":1,"consumers":[{"kind":"process","id":"1","microjoules":{"strange":3000}},{"kind":"idle","id":"strange","microjoules":{"strange":2000}}]}""",
            """{"tick":2,"consumers":[{"kind":"process","id":"1","microjoules":{"strange":3000}},{"kind":"idle","id":"strange","microjoules":{"strange":1999}}]}""");
        string truth = Lines(
            """{"tick":1,"consumers":[{"kind":"process","id":"1","package":3000}]}""", """{"tick":2,"consumers":[{"kind":"process","id":"1","package":3000}]}""");
        AccuracyReport report = AccuracyScore.Run(Bytes(estimate), Bytes(truth), Bytes(trace));
        Assert.Equal(1, report.NotConserved);
        Assert.Equal(1, report.Windows);
        Assert.Equal(0, report.Error);

        // Without the trace nothing says what the meter measures.
        Assert.Contains("strange", Failure(estimate, truth));
    }

    [Theory]
    [InlineData("no json", "line 1")]
    [InlineData("""{"tick":1,"consu""", "cut")]
    [InlineData("""{"tick":1}""", "consumers is missing")]
    [InlineData("""{"tick":2,"consumers":[]}""", "tick 2")]
    [InlineData("""{"tick":1,"consumers":[{"kind":"process","id":"7","microjoules":{"package-0":1.5}}]}""", "whole microjoules")]
    [InlineData("""{"tick":1,"consumers":[{"kind":"process","id":"7","microjoules":{"package-0":5},"low":9,"high":1}]}""", "high is below low")]
    [InlineData("""{"tick":1,"consumers":[{"kind":"process","id":"7"}]}""", "microjoules is missing")]
    [InlineData("""{"tick":1,"consumers":[{"kind":"process","id":"99","microjoules":{"package-0":5}}]}""", "not of the same run")]
    [InlineData("""{"format":"keck-trace","version":1}""", "this is a trace")]
    [InlineData("""[1]""", "object")]
    [InlineData("", "goes on")]
    public void Run_BadEstimate_IsOneClearError(string estimate, string says) => Assert.Contains(says, Failure(estimate, TruthTick));

    [Fact]
    public void Run_OneFileLonger_IsAnError()
    {
        Assert.Contains("the estimate ends after 1 ticks", Failure(Estimate(1, 5), Lines(Truth(1, 5), Truth(2, 5))));
        Assert.Contains("the truth ends after 1 ticks", Failure(Lines(Estimate(1, 5), Estimate(2, 5)), Truth(1, 5)));
    }

    [Fact]
    public void Run_RandomPerfectEstimates_HaveNoError()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            Random random = new(seed);
            StringBuilder estimate = new(), truth = new();
            for (int tick = 1; tick <= 30; tick++)
            {
                int value = random.Next(0, 1_000_000);
                _ = estimate.AppendLine(Estimate(tick, value, value, value));
                _ = truth.AppendLine(Truth(tick, value));
            }

            AccuracyReport report = Score(estimate.ToString(), truth.ToString(), tick: 100_000_000);
            Assert.Equal((0.0, 0.0, 1.0, 0.0), (report.Error!.Value, report.WindowError!.Value, report.Coverage!.Value, report.IntervalScore!.Value));
            Assert.Equal(3, report.Windows);
        }
    }

    [Fact]
    public void Run_RandomEstimates_WindowErrorIsNeverBelowTheWholeRuns()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            Random random = new(seed);
            StringBuilder estimate = new(), truth = new();
            for (int tick = 1; tick <= 40; tick++)
            {
                _ = estimate.AppendLine(Estimate(tick, random.Next(0, 1_000_000)));
                _ = truth.AppendLine(Truth(tick, random.Next(1, 1_000_000)));
            }

            AccuracyReport report = Score(estimate.ToString(), truth.ToString(), tick: 100_000_000);
            Assert.True(report.WindowError >= report.Error - 1e-12, $"seed {seed}");
        }
    }

    private static string Failure(string estimate, string truth) =>
        Assert.Throws<TraceFormatException>(() => Score(estimate, truth, tick: 100_000_000)).Message;

    private static AccuracyReport Score(string estimate, string truth, long tick) => AccuracyScore.Run(Bytes(estimate), Bytes(truth), null, tick);

    private static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    private static string Lines(params string[] lines) => string.Join('\n', lines);

    private static string Estimate(int tick, long microjoules) =>
        $$$"""{"tick":{{{tick}}},"consumers":[{"kind":"process","id":"1","microjoules":{"package-0":{{{microjoules}}}}}]}""";

    private static string Estimate(int tick, long microjoules, long low, long high) =>
        $$$"""{"tick":{{{tick}}},"consumers":[{"kind":"process","id":"1","microjoules":{"package-0":{{{microjoules}}}},"low":{{{low}}},"high":{{{high}}}}]}""";

    private static string Truth(int tick, long microjoules) =>
        $$$"""{"tick":{{{tick}}},"consumers":[{"kind":"process","id":"1","package":{{{microjoules}}}}]}""";
}
