using System.Collections.Immutable;
using System.Reflection;
using Keck.Agent;
using Keck.Metering;
using Keck.Power;
using Keck.Virt;
using Microsoft.Extensions.Logging;

namespace Keck.Host;

/// <summary>Everything of a running host agent, wired along the data path: sources → engine → what the outlets ask.</summary>
internal sealed class HostAgent : IAgentState, IDisposable
{
    // A fork storm ends processes faster than anybody looks: one kept costs about 10 KB in all
    // (24,000 of them: 230 MiB), so the profile's memory holds a part of its processes as ended ones. What they used is kept in any case.
    private const int EndedPart = 20;

    private readonly HostOptions _options;
    private readonly TimeProvider _time;
    private readonly RunSources _runs;
    private readonly LimitedRuns _limited;
    private readonly SelfMeter _self = new();
    private readonly ProfileGovernor _governor;
    private readonly LiveTrace _trace;
    private readonly StateKeeper? _keeper;
    private readonly MachineParts _machines;
    private readonly ImmutableArray<IDisposable> _owned;

    private HostAgent(HostOptions options, TimeProvider time, MeterSet meters, RunSources runs, MachineParts machines, StateKeeper? keeper, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _runs = runs;
        _governor = new ProfileGovernor(options.Profile);
        Meters = meters;
        Workloads = machines.Workloads;
        _machines = machines;
        AgentProfile profile = AgentProfile.Of(options.Profile);
        _keeper = keeper;
        ResumedState state = keeper?.Load() ?? ResumedState.New();
        History = new HistoryStore(profile.History, time);
        Engine = new MeteringEngine(
            _limited = new LimitedRuns(runs.Source),
            new PowerFeed(meters),
            machines,
            new Attributor(new AttributionOptions { Model = options.Model ?? profile.ModelLimit }, state.Floors),
            state.Ledger,
            new EngineOptions { EndedProcessLimit = Math.Max(100, profile.MaxProcesses / EndedPart) },
            time);
        _trace = new LiveTrace(this, options, time);
        _owned = [meters, runs, _self];
        HostState.Start(meters, state);
        Hub = new ChannelHub(() => machines.Directory.Current, Engine, options, time, loggers.CreateLogger("Keck.Host.Channels"));
        ChannelOutlet channels = new(Hub, keeper, options.ChannelInterval, ChannelOutlet.NumberOf(state));
        keeper?.Follow(Engine, json =>
        {
            HostState.Write(meters, json);
            channels.Write(json);
        });
        Engine.Attach(channels);
    }

    internal MeteringEngine Engine { get; }

    internal MeterSet Meters { get; }

    internal WorkloadFeed Workloads { get; }

    /// <summary>The virtual machines.</summary>
    internal MachineDirectory Machines => _machines.Directory;

    /// <summary>Reads again what is shown of machines and blocks while files or libvirt's daemon answer.</summary>
    internal void LookAtMachines() => _machines.ReadHaltPolls();

    /// <summary>The guests' channels.</summary>
    internal ChannelHub Hub { get; }

    internal HistoryStore History { get; }

    /// <summary>The profile in force.</summary>
    internal AgentProfile Profile => AgentProfile.Of(_governor.Current);

    internal static string Version { get; } =
        typeof(HostAgent).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>Finds this machine's sources and wires the agent; throws <see cref="StartException"/> for what cannot work.</summary>
    /// <param name="options">What is set.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where it says what it finds.</param>
    /// <param name="keepState">Whether counters are kept over restarts; a look at the machine keeps none.</param>
    internal static HostAgent Create(HostOptions options, TimeProvider time, ILoggerFactory loggers, bool keepState = false)
    {
        MeterSet meters = MeterSet.Discover(
            new PowerOptions { SysRoot = options.SysRoot, ProcRoot = options.ProcRoot, Estimate = options.Estimate }, time, loggers.CreateLogger("Keck.Power"));
        try
        {
            RunSources runs = RunSources.Open(options, AgentProfile.Of(options.Profile), meters.Topology, time, loggers);
            try
            {
                MachineParts machines = MachineParts.Create(options, WorkloadFeed.Create(options, time, loggers), time, loggers);
                return new HostAgent(options, time, meters, runs, machines, keepState ? HostState.Open(options, time, loggers) : null, loggers);
            }
            catch
            {
                runs.Dispose();
                throw;
            }
        }
        catch
        {
            meters.Dispose();
            throw;
        }
    }

    /// <summary>What the outlets ask, over HTTP or in this process.</summary>
    internal AgentParts Parts => new(this, Workloads, History, _time, _trace);

    /// <summary>The most detailed model allowed now: what was configured, and below it the profile in force.</summary>
    internal ModelKind ModelLimit => _limited.Limit ?? Engine.Attribution.Model ?? ModelKind.FullModel;

    /// <summary>Reads what the agent costs, lets the governor decide, and applies what it decided.</summary>
    internal ProfileChange? ObserveSelf() => Observe(_self.Read(), _time.GetElapsedTime(0).Ticks * 100);

    /// <summary>Lets the governor decide on a reading. The period of ticks and records follows by itself; the rest is applied here.</summary>
    internal ProfileChange? Observe(in SelfUsage usage, long nanoseconds)
    {
        ProfileChange? change = _governor.Observe(usage, nanoseconds);
        if (change is not null)
        {
            ModelKind limit = Profile.ModelLimit;
            _limited.Limit = change.To == _options.Profile || limit >= Engine.Attribution.Model ? null : limit;
            History.Resize(Profile.History);
        }

        return change;
    }

    public LedgerSnapshot Ledger() => Engine.Ledger();

    public void MarkSeen(LedgerSnapshot shown) => Engine.MarkSeen(shown);


    ImmutableArray<Keck.Agent.MeterReport> IAgentState.Meters() => MeterReports.Of(Meters.States());

    public MachineFacts? Machine(string uuid) => _machines.Facts(uuid, Hub);

    public ImmutableArray<ThreadTotals> Threads(int pid) => Engine.Threads(pid);

    public Reconciliation? Reconciliation() => null;

    public NodeFacts Node() => new()
    {
        Host = Environment.MachineName,
        Agent = "keck-host",
        Version = Version,
        Kernel = KernelFacts.Release(_options.ProcRoot),
        CpuVendor = Meters.Cpu.Vendor is { Length: > 0 } vendor ? vendor : null,
        CpuModel = Meters.Cpu.Name is { Length: > 0 } name ? name : null,
        TickPeriod = Profile.FastPeriod,
        IdlePolicy = _options.Idle,
        ConfiguredProfile = _options.Profile,
        Profile = _governor.Current,
        ProfileReason = _governor.Reason,
        ProfileChanges = _governor.Changes,
        ModelLimit = ModelLimit,
    };

    public SelfFacts Self()
    {
        SelfUsage usage = _self.Read();
        return new SelfFacts
        {
            Pid = Environment.ProcessId,
            CpuNanoseconds = usage.CpuNanoseconds,
            CpuRatio = _governor.CpuRatio,
            ResidentBytes = usage.ResidentBytes,
            AnonymousBytes = usage.AnonymousBytes,
            MapBytes = _runs.MapBytes,
        };
    }

    public RunSourceFacts Runs() => _runs.Facts();

    public ImmutableArray<TickPhase> Phases() => Engine.Phases;

    public ImmutableArray<string> NotReady() => Engine.Ticks == 0 ? ["the first tick is not attributed yet"] : [];

    public void Dispose()
    {
        _keeper?.Close();
        _keeper?.Dispose();
        foreach (IDisposable owned in _owned)
        {
            owned.Dispose();
        }
    }
}
