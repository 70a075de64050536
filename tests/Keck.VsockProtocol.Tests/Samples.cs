using Google.Protobuf;

namespace Keck.VsockProtocol.Tests;

/// <summary>One message of each kind with every field set, and variants with what is unknown left out.</summary>
internal static class Samples
{
    internal static readonly ByteString HostEpoch = ByteString.CopyFrom(Convert.FromHexString("00112233445566778899aabbccddeeff"));
    internal static readonly ByteString GuestEpoch = ByteString.CopyFrom(Convert.FromHexString("f0e1d2c3b4a5968778695a4b3c2d1e0f"));

    internal static readonly (string Name, IMessage Message)[] All =
    [
        ("hello", Hello()),
        ("welcome", Welcome()),
        ("mark", new Mark { Interval = 7, HostMonotonicNanoseconds = 1_234_567_890_123 }),
        ("budget", Budget()),
        ("budget-unknown", new Budget { Interval = 8, VcpuActive = { Figure(1_000), new WireFigure() } }),
        ("ack", new Ack { Interval = 7, BusyNanoseconds = { 998_000_000, 0 }, DrainNanoseconds = 412_000 }),
        ("usage", Usage()),
        ("goodbye", new Goodbye { Reason = WireReason.Superseded, Detail = "a newer connection" }),
    ];

    internal static Hello Hello() => new()
    {
        LowestVersion = 1,
        HighestVersion = 1,
        AgentVersion = "0.1.0",
        BootId = "6f5c1a7e-2b1d-4c3f-9a63-0d1f0c6f5e11",
        Vcpus = 2,
        NameClaim = "web-1",
        Nonce = 0x0123456789abcdef,
        GuestEpoch = GuestEpoch,
    };

    internal static Welcome Welcome() => new()
    {
        Version = 1,
        Nonce = 0x0123456789abcdef,
        MachineUuid = "0d3c5a52-8f0e-4d53-a1c7-2f6b6a1f9b10",
        MachineName = "web-1",
        IntervalNanoseconds = 1_000_000_000,
        IdlePolicy = WireIdlePolicy.Separate,
        HostEpoch = HostEpoch,
        Vcpus = 2,
        QuantumMicrojoules = 1_000,
    };

    internal static Budget Budget() => new()
    {
        Interval = 7,
        IntervalNanoseconds = 1_000_200_000,
        BaseInterval = 3,
        VcpuActive = { Figure(12_345_000), Figure(678_000) },
        OverheadActive = Figure(90_000),
        DramActive = Figure(55_000),
        PackageStatic = Figure(3_000_000),
        DramStatic = Figure(400_000),
        Gpu = Figure(0),
    };

    internal static Budget Budget(int vcpus, ulong energy)
    {
        var budget = new Budget { Interval = 1, IntervalNanoseconds = 1_000_000_000, BaseInterval = 0, OverheadActive = Figure(energy), DramActive = Figure(energy) };
        for (int cpu = 0; cpu < vcpus; cpu++)
        {
            budget.VcpuActive.Add(Figure(energy + (ulong)cpu));
        }

        return budget;
    }

    internal static Usage Usage() => new()
    {
        Seq = 5,
        Interval = 7,
        Top =
        {
            new WireUsage { Kind = WireUsageKind.Process, Pid = 812, StartNanoseconds = 4_200_000_000, Name = "nginx", Energy = Figure(11_000_000) },
            new WireUsage
            {
                Kind = WireUsageKind.Container, Name = "web", Namespace = "shop", PodUid = "9b1f2c58-7a55-4a53-a3f4-51b2c2a0a001", ContainerId = "4fe1", Energy = Figure(11_500_000),
            },
        },
        Rest = Figure(2_023_000),
        Gpus = { new WireGpuClaim { Device = "0000:00:05.0", Energy = Figure(70_000_000) } },
    };

    internal static WireFigure Figure(ulong energy) => new()
    {
        EnergyMicrojoules = energy,
        LowMicrojoules = energy - (energy / 10),
        HighMicrojoules = energy + (energy / 10),
        Quality = WireQuality.Measured,
        Origin = WireOrigin.Rapl,
    };
}
