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

    public ImmutableArray<MeterReport> Meters() =>
    [
        .. Now.Meters.Select(totals => new MeterReport
        {
            Meter = totals.Meter, TotalMicrojoules = totals.Total, Watts = 31.5, Age = TimeSpan.FromMilliseconds(120),
            Path = totals.Meter.Domain == EnergyDomain.Package ? $"/sys/class/powercap/intel-rapl:{totals.Meter.Package}" : null,
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
        CpuUsageRatio = 0.25,
        Counters = new(1_000, 2_000, 3, 0),
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

    public RunSourceFacts Runs() => new("ebpf") { Switches = 1_000_000, MissedSwitches = 12, LostNanoseconds = 1_500_000, SlotsUsed = 512, SlotLimit = 65_536 };

    public ImmutableArray<TickPhase> Phases() => [new("drain", 80_000), new("attribute", 250_000)];

    public ImmutableArray<string> NotReady() => [.. Reasons];

    public PodName? Pod(string uid) => uid == SampleLedger.PodUid ? new("prod", "web-1") : null;

    public ContainerName? Container(string id) => id == SampleLedger.ContainerId ? new("nginx", "containerd") : null;
}
