using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent.Tests;

/// <summary>An agent that shows the sample ledger.</summary>
internal sealed class FakeAgent : IAgentState, IWorkloadNames
{
    internal FakeClock Time { get; } = new();

    internal LedgerSnapshot Now { get; set; } = LedgerSnapshot.Empty;

    internal IdlePolicy Policy { get; set; } = IdlePolicy.Separate;

    internal HistoryStore History { get; }

    internal AgentParts Parts { get; }

    /// <summary>Where the selected meters read; null for where the sample says.</summary>
    internal EnergyOrigin? Origin { get; init; }

    internal ITraceFeed? Trace { get; init; }

    internal LedgerSnapshot? Seen { get; private set; }

    internal string[] Reasons { get; set; } = [];

    internal FakeAgent(int seconds = 90, ITraceFeed? trace = null)
    {
        History = new HistoryStore(HistoryLayout.Minimal, Time);
        Parts = new AgentParts(this, this, History, Time, trace);
        for (int second = 1; second <= seconds; second++)
        {
            Advance(SampleLedger.At(second));
        }
    }

    internal void Advance(LedgerSnapshot ledger)
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        Now = ledger;
        History.Record(ledger);
    }

    public void MarkSeen(LedgerSnapshot shown) => Seen = shown;

    internal ApiRouter Router(MetricDialects dialects = MetricDialects.None, int topProcesses = 0) =>
        new(Parts, new ApiOptions { Metrics = new MetricsOptions { Dialects = dialects, TopProcesses = topProcesses } });

    internal (ApiResponse Response, string Body) Get(string target, string? accept = null, string method = "GET", ApiRouter? router = null)
    {
        ApiResponse response = (router ?? Router()).Handle(ApiRequest.Of(method, target, accept));
        using var body = new PooledBuffer();
        response.Body?.Invoke(body);
        return (response, System.Text.Encoding.UTF8.GetString(body.Written.Span));
    }

    public LedgerSnapshot Ledger() => Now;

    public ImmutableArray<FloorFigure> Floors() => [new("package-0", FloorBasis.Idle, 14.2, 0.05), new("dram-0", FloorBasis.Prior, null, 0.6)];

    public double? ReadSkewSeconds(string meter) => meter == "package-0" ? 0.000_041 : null;

    public ImmutableArray<AdoptionEntry> Adoptions()
    {
        StaticFloorState first = new(18.25, false, 0, 0, 0, 0), second = new(14.2, true, 0, 0, 0, 0);
        DateTimeOffset at = new(2026, 11, 24, 5, 0, 1, TimeSpan.Zero);
        return
        [
            new(1, at, "package-0", AdoptionCause.Busy, "busy window, CPUs 41.0 % busy", default, first, Undone: true),
            new(2, at.AddSeconds(3), "package-0", AdoptionCause.Undone, "adoption 1 was taken back", first, default),
            new(3, at.AddSeconds(9), "package-0", AdoptionCause.Idle, "idle window, CPUs 0.8 % busy", default, second),
            new(4, at.AddSeconds(9), "package-0", AdoptionCause.Signatures, "its static part is known", second, second),
        ];
    }

    public ImmutableArray<MeterReport> Meters() =>
    [
        .. Now.Meters.Select(totals => new MeterReport
        {
            Meter = Origin is { } origin ? totals.Meter with { Origin = origin } : totals.Meter, TotalMicrojoules = totals.Total, Watts = 31.5, Age = TimeSpan.FromMilliseconds(120),
            Path = Origin is not null ? "its part of the platform's estimate" : totals.Meter.Domain == EnergyDomain.Package ? $"/sys/class/powercap/intel-rapl:{totals.Meter.Package}" : null,
        }),
        new()
        {
            Meter = new() { Id = "core-0", Domain = EnergyDomain.Core, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, NotSelectedBecause = "package-0 contains it" },
            TotalMicrojoules = 123_456_789,
        },
        new()
        {
            Meter = new() { Id = "psu-0", Domain = EnergyDomain.Platform, Origin = EnergyOrigin.Redfish, Quality = ReadingQuality.Measured, NotSelectedBecause = "kept for comparison" },
            Watts = 212.5, Age = TimeSpan.FromSeconds(3),
        },
        new()
        {
            Meter = new() { Id = "package-mmio-0", Domain = EnergyDomain.Package, Package = 0, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, NotSelectedBecause = "same as package-0" },
            Absent = Absence.NotPermitted, LastError = "energy_uj: permission denied", Errors = 3,
        },
    ];

    public MachineFacts? Machine(string uuid) => uuid != SampleLedger.MachineUuid ? null : new()
    {
        State = "running",
        Manager = "nova",
        Project = "shop",
        ProjectId = "4d1c",
        User = "alice",
        Flavor = "m1.small",
        DisplayName = "web-vm",
        Tags = ImmutableSortedDictionary<string, string>.Empty.Add("cost-centre", "4711"),
        HaltPollNanoseconds = 12_345_678_901,
        Channel = new()
        {
            Connected = true,
            Peer = "vsock:42:1017",
            Since = DateTimeOffset.UnixEpoch.AddDays(20_000),
            AgentVersion = "0.1.0",
            Connections = 2,
            Frames = 1_234,
            Rejected = 1,
            LastRejection = "more than 10 frames or 65536 bytes a second",
            AckNanoseconds = 1_500_000,
            AttributedNanoseconds = 25_000_000,
            DrainNanoseconds = 400_000,
        },
        Guest = new(DateTimeOffset.UnixEpoch.AddDays(20_000).AddSeconds(7), 77,
        [
            new("process", 12, "nginx", null, PodInGuest, "c1", 40_000_000, 38_000_000, 41_000_000, "measured", "budget"),
            new("process", 13, "idle <b>", null, null, null, 50_000_000, null, null, null, null),
            new("pod", null, "web-1", "shop", PodInGuest, null, 45_000_000, 40_000_000, 50_000_000, "measured", "budget"),
        ], 1_000_000),
    };

    private const string PodInGuest = "9b1f2c58-7a55-4a53-a3f4-51b2c2a0a001";

    public ImmutableArray<ThreadTotals> Threads(int pid) => pid != SampleLedger.MachinePid ? [] :
    [
        new() { Tid = 1_000, Name = "qemu-kvm", Role = ThreadRole.Emulator, Microjoules = 200, CpuNanoseconds = 1_000 },
        new() { Tid = 1_001, Name = "CPU 0/KVM", Role = ThreadRole.Vcpu, Microjoules = 900, CpuNanoseconds = 8_000 },
        new() { Tid = 1_002, Name = "CPU 1/KVM", Role = ThreadRole.Vcpu, Microjoules = 300, CpuNanoseconds = 4_000 },
    ];

    public Reconciliation? Reconciliation() => new("psu-0", 212.5, 150.25, 0.292941, 0.031);

    public NodeFacts Node() => new()
    {
        Host = "kvm-07",
        Agent = "keck-host",
        Version = "0.1.0",
        Kernel = "6.1.0-26-amd64",
        CpuVendor = "GenuineIntel",
        CpuModel = "Made-up 8-thread CPU",
        TickPeriod = TimeSpan.FromMilliseconds(500),
        IdlePolicy = Policy,
        ConfiguredProfile = ProfileKind.Full,
        Profile = ProfileKind.Standard,
        ProfileReason = "CPU 6.1 % of one CPU is over full's 5.0 %",
        ProfileChanges = 1,
        IdlePrior = new IdlePrior(0.144, 0.067, 0.321, "a made-up generation"),
        ModelReason = "counters for 0 % of the run time, 90 % are needed: profile standard asks for none",
        Calibration = new CalibrationFacts(CalibrationState.Stale)
        {
            File = "/etc/keck/profile.json",
            Hash = "3f786850e387550fdab836ed7e6dc881de23001b3f786850e387550fdab836ed",
            CreatedAt = new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero),
            NotUsedBecause = "/etc/keck/profile.json: it was made with microcode 0x1, this machine has 0x2",
        },
        Counters = new(1_000, 2_000, 3, 0) { CpuUsageRatio = 0.25 },
    };

    public SelfFacts Self() => new()
    {
        Pid = SampleLedger.AgentPid,
        CpuNanoseconds = 1_234_567_890,
        CpuRatio = 0.004,
        ResidentBytes = 19_000_000,
        AnonymousBytes = 8_000_000,
        MapBytes = 34_000_000,
    };

    public RunSourceFacts Runs() => new("ebpf") { Switches = 1_000_000, MissedSwitches = 12, LostNanoseconds = 1_500_000, UnplacedNanoseconds = 250_000, UnconfirmedCuts = 1, SlotsUsed = 512, SlotLimit = 65_536 };

    public long? HeldWithoutOwner() => 5;

    public ImmutableArray<(string Reason, long Count)> ChannelRefusals() => [("too_often", 3), ("no_machine", 0)];

    public ImmutableArray<TickPhase> Phases() => [new("drain", 80_000), new("attribute", 250_000)];

    public ImmutableArray<string> NotReady() => [.. Reasons];

    public PodName? Pod(string uid) => uid == SampleLedger.PodUid ? new("prod", "web-1") : null;

    public ContainerName? Container(string id) => id == SampleLedger.ContainerId ? new("nginx", "containerd") : null;
}
