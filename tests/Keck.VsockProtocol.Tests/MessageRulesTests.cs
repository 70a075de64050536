using Google.Protobuf;

namespace Keck.VsockProtocol.Tests;

public sealed class MessageRulesTests
{
    public static TheoryData<string, IMessage> Faults => new()
    {
        { "Hello without a range", new Hello { HighestVersion = 1 } },
        { "Hello without a range", new Hello { LowestVersion = 2, HighestVersion = 1 } },
        { "too many vCPUs", With(Samples.Hello(), hello => hello.Vcpus = 1_025) },
        { "guest_epoch is not of 16", With(Samples.Hello(), hello => hello.GuestEpoch = ByteString.CopyFromUtf8("short")) },
        { "name_claim is longer than 256", With(Samples.Hello(), hello => hello.NameClaim = new string('x', 257)) },
        { "name_claim holds control", With(Samples.Hello(), hello => hello.NameClaim = "web\u001b[2J") },
        { "boot_id holds control", With(Samples.Hello(), hello => hello.BootId = "a\nb") },
        { "without version or host_epoch", With(Samples.Welcome(), welcome => welcome.ClearHostEpoch()) },
        { "host_epoch is not of 16", With(Samples.Welcome(), welcome => welcome.HostEpoch = ByteString.Empty) },
        { "machine_name holds control", With(Samples.Welcome(), welcome => welcome.MachineName = "\u009b") },
        { "Mark without", new Mark() },
        { "Budget without", new Budget() },
        { "too many vCPUs", With(Samples.Budget(), budget => budget.VcpuActive.Add(Enumerable.Repeat(new WireFigure(), 1_023))) },
        { "outside its bounds", With(Samples.Budget(), budget => budget.DramStatic.LowMicrojoules = 400_001) },
        { "outside its bounds", With(Samples.Budget(), budget => budget.VcpuActive[1].HighMicrojoules = 677_999) },
        { "outside its bounds", With(Samples.Budget(), budget => budget.Gpu = new WireFigure { HighMicrojoules = 3 }) },
        { "above 2^63", With(Samples.Budget(), budget => budget.OverheadActive = new WireFigure { EnergyMicrojoules = 1ul << 63 }) },
        { "too many CPUs", With(new Ack { Interval = 1 }, ack => ack.BusyNanoseconds.Add(Enumerable.Repeat(1ul, 1_025))) },
        { "Usage without its number", new Usage() },
        { "too many lines", With(Samples.Usage(), usage => usage.Top.Add(Enumerable.Repeat(new WireUsage(), 512))) },
        { "namespace holds control", With(Samples.Usage(), usage => usage.Top[0].Namespace = "\0") },
        { "outside its bounds", With(Samples.Usage(), usage => usage.Gpus[0].Energy.LowMicrojoules = 70_000_001) },
        { "device is longer", With(Samples.Usage(), usage => usage.Gpus[0].Device = new string('0', 300)) },
        { "detail holds control", new Goodbye { Detail = "\r" } },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void Fault_BrokenRule_SaysWhich(string part, IMessage message) => Assert.Contains(part, MessageRules.Fault(message));

    [Fact]
    public void Fault_UnknownFigures_AreAllowed() =>
        Assert.Null(MessageRules.Fault(new Budget { Interval = 1, VcpuActive = { new WireFigure(), new WireFigure { EnergyMicrojoules = 5 } } }));

    [Theory]
    [InlineData(0, 0, 0, 0, 0, 0)]
    [InlineData(1_999, 999, 2_001, 1_000, 0, 3_000)]
    [InlineData(5_000, 5_000, 5_000, 5_000, 5_000, 5_000)]
    [InlineData(long.MaxValue, long.MaxValue, long.MaxValue, 9_223_372_036_854_775_000, 9_223_372_036_854_775_000, 9_223_372_036_854_776_000)]
    public void Quantum_Figure_IsRoundedDownAndItsBoundsOutwards(long energy, long low, long high, ulong shown, ulong shownLow, ulong shownHigh)
    {
        WireFigure figure = EnergyQuantum.ToGuest(energy, low, high, WireQuality.Measured, WireOrigin.Rapl, new WireFigure());
        Assert.Equal((shown, shownLow, shownHigh), (figure.EnergyMicrojoules, figure.LowMicrojoules, figure.HighMicrojoules));
    }

    [Fact]
    public void Quantum_GrowingCounter_LosesNothingOverTime()
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        long counter = 0, seen = 0, last = 0;
        var figure = new WireFigure();
        for (int i = 0; i < 10_000; i++)
        {
            counter += random.Next(0, 3_000);
            _ = EnergyQuantum.ToGuest(counter, counter, counter, WireQuality.Measured, WireOrigin.Rapl, figure);
            Assert.Equal(0ul, figure.EnergyMicrojoules % 1_000);
            seen += (long)figure.EnergyMicrojoules - last;
            last = (long)figure.EnergyMicrojoules;
            Assert.InRange(counter - seen, 0, 999);
        }
    }

    [Theory]
    [InlineData(-1, 0, 0)]
    [InlineData(5, 6, 7)]
    [InlineData(5, 4, 4)]
    public void Quantum_FigureOutsideItsBounds_Throws(long energy, long low, long high) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => EnergyQuantum.ToGuest(energy, Math.Min(low, energy < 0 ? energy : low), high, WireQuality.Measured, WireOrigin.Rapl, new WireFigure()));

    private static T With<T>(T message, Action<T> change)
    {
        change(message);
        return message;
    }
}
