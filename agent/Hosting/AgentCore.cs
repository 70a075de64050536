using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>What a running agent of either kind is made of, and how it answers what the outlets ask.</summary>
internal abstract class AgentCore : IAgentState, IDisposable
{
    private int _disposed;
    private readonly SelfMeter _self = new();
    private readonly HostStat _stat;
    private readonly ProfileGovernor _governor;
    private readonly LimitedRuns _limited;
    private readonly LiveTrace _trace;
    private readonly ModelWatch _model = new();
    private readonly ReadSkews _skews = new();
    private readonly StateKeeper? _keeper;

    /// <summary>Wires the data path.</summary>
    /// <param name="options">What is set.</param>
    /// <param name="time">The clock.</param>
    /// <param name="runs">Who ran.</param>
    /// <param name="meters">What energy there was.</param>
    /// <param name="workloads">Who the threads are.</param>
    /// <param name="keeper">Keeps counters over restarts; null for none.</param>
    /// <param name="calibration">The machine profile in use; null for none.</param>
    /// <param name="prior">What its CPU lets expect of its idle power; null where that is not known.</param>
    protected AgentCore(
        AgentOptions options, TimeProvider time, IRunSource runs, IMeterFeed meters, IWorkloads workloads, StateKeeper? keeper, MachineProfile? calibration = null,
        IdlePrior? prior = null)
    {
        (Options, Time, _keeper) = (options, time, keeper);
        _stat = new HostStat(options.ProcRoot);
        _stat.Read();
        _governor = new ProfileGovernor(options.Profile);
        AgentProfile profile = AgentProfile.Of(options.Profile);
        State = keeper?.Load() ?? ResumedState.New();
        History = new HistoryStore(profile.History, time);
        Engine = new MeteringEngine(
            _limited = new LimitedRuns(runs),
            meters,
            workloads,
            new Attributor(
                new AttributionOptions
                {
                    Model = options.Model ?? (calibration is not null ? ModelKind.Calibrated : profile.ModelLimit == ModelKind.FullModel ? null : profile.ModelLimit),
                    Signatures = profile.Signatures,
                    Profile = calibration,
                    IdlePrior = prior,
                },
                calibration is null || State.Calibration == calibration.Hash ? State.Floors : calibration.Floors(State.Floors)),
            State.Ledger,
            new EngineOptions { EndedProcessLimit = profile.MaxEndedProcesses },
            time);
        _trace = new LiveTrace(this);
        Engine.Attach(_model);
        Engine.Attach(_skews);
    }

    /// <summary>The product's version.</summary>
    internal static string Version { get; } =
        System.Reflection.CustomAttributeExtensions.GetCustomAttribute<System.Reflection.AssemblyInformationalVersionAttribute>(typeof(AgentCore).Assembly)?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>The program, such as <c>keck-host</c>.</summary>
    internal abstract string Program { get; }

    internal AgentOptions Options { get; }

    internal TimeProvider Time { get; }

    internal MeteringEngine Engine { get; }

    internal HistoryStore History { get; }

    /// <summary>Who runs: names and memory of processes.</summary>
    internal abstract WorkloadFeed Workloads { get; }

    /// <summary>The profile in force.</summary>
    internal AgentProfile Profile => AgentProfile.Of(_governor.Current);

    /// <summary>The most detailed model allowed now: what was configured, and below it the profile in force.</summary>
    internal ModelKind ModelLimit => _limited.Limit ?? Engine.Attribution.Model ?? ModelKind.FullModel;

    /// <summary>What the outlets ask, over HTTP or in this process.</summary>
    internal AgentParts Parts => new(this, Workloads, History, Time, _trace);

    /// <summary>What an earlier run left.</summary>
    protected ResumedState State { get; private set; }

    /// <summary>What became of the machine profile; null for an agent that takes none.</summary>
    internal virtual CalibrationFacts? Calibration => null;

    /// <summary>What was taken as known of the meters; null for an agent that learns nothing of them.</summary>
    internal virtual AdoptionLog? AdoptionLog => null;

    /// <summary>The processor, as far as it tells.</summary>
    protected abstract TraceCpu Cpu { get; }

    /// <summary>Memory of the eBPF maps, bytes; null without eBPF.</summary>
    protected abstract long? MapBytes { get; }

    /// <summary>Reads what the agent costs, lets the governor decide, and applies what it decided.</summary>
    internal ProfileChange? ObserveSelf() => Observe(_self.Read(), Time.GetElapsedTime(0).Ticks * 100);

    /// <summary>Lets the governor decide on a reading. The period of ticks and records follows by itself; the rest is applied here.</summary>
    internal ProfileChange? Observe(in SelfUsage usage, long nanoseconds)
    {
        ProfileChange? change = _governor.Observe(usage, nanoseconds);
        if (change is not null)
        {
            ModelKind limit = Profile.ModelLimit;
            _limited.Limit = change.To == Options.Profile || limit >= Engine.Attribution.Model ? null : limit;
            History.Resize(Profile.History);
            Engine.EndedProcessLimit = Profile.MaxEndedProcesses;
        }

        return change;
    }

    /// <summary>Reads how busy the machine was since the last call.</summary>
    internal void ReadCounters() => _stat.Read();

    /// <summary>Looks which CPUs are online.</summary>
    internal abstract void RefreshTopology();

    /// <summary>The first line of a trace that goes on from the engine's present state.</summary>
    internal TraceHeader TraceHeader(Observation observation, Attributor attributor) => new()
    {
        Host = Environment.MachineName,
        StartedAt = Time.GetUtcNow(),
        Source = "recorded",
        Cpu = Cpu,
        Topology = observation.Topology,
        Meters = observation.Meters,
        Machines = [.. observation.Machines.InOrder.Select(index => observation.Machines[index])],
        InitialState = new TraceInitialState(attributor.Options, Options.Idle, attributor.State, attributor.Options.Profile?.Hash),
    };

    /// <inheritdoc/>
    public LedgerSnapshot Ledger() => Engine.Ledger();

    /// <inheritdoc/>
    public void MarkSeen(LedgerSnapshot shown) => Engine.MarkSeen(shown);

    /// <inheritdoc/>
    public abstract ImmutableArray<MeterReport> Meters();

    /// <inheritdoc/>
    public ImmutableArray<FloorFigure> Floors() => Engine.Floors();

    /// <inheritdoc/>
    public double? ReadSkewSeconds(string meter) => _skews.Seconds(meter);

    /// <inheritdoc/>
    public ImmutableArray<AdoptionEntry> Adoptions() => AdoptionLog?.Entries ?? [];

    /// <inheritdoc/>
    public virtual Reconciliation? Reconciliation() => null;

    /// <inheritdoc/>
    public virtual MachineFacts? Machine(string uuid) => null;

    public ImmutableArray<ThreadTotals> Threads(int pid) => Engine.Threads(pid);

    /// <inheritdoc/>
    public virtual ImmutableArray<(string Reason, long Count)> ChannelRefusals() => [];

    public abstract RunSourceFacts Runs();

    /// <inheritdoc/>
    public NodeFacts Node() => new()
    {
        Host = Environment.MachineName,
        Agent = Program,
        Version = Version,
        Kernel = KernelFacts.Release(Options.ProcRoot),
        CpuVendor = Cpu.Vendor is { Length: > 0 } vendor ? vendor : null,
        CpuModel = Cpu.Name is { Length: > 0 } name ? name : null,
        TickPeriod = Profile.FastPeriod,
        IdlePolicy = Options.Idle,
        ConfiguredProfile = Options.Profile,
        Profile = _governor.Current,
        ProfileReason = _governor.Reason,
        ProfileChanges = _governor.Changes,
        Calibration = Calibration,
        IdlePrior = Calibration is null ? null : Engine.Attribution.IdlePrior ?? IdlePrior.Generic,
        ModelLimit = ModelLimit,
        ModelReason = _model.Reason(ModelLimit, Runs(), Profile),
        Counters = _stat.Counters,
    };

    /// <inheritdoc/>
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
            MapBytes = MapBytes,
        };
    }

    /// <inheritdoc/>
    public long? HeldWithoutOwner() => Engine.HeldWithoutOwner;

    /// <inheritdoc/>
    public ImmutableArray<TickPhase> Phases() => Engine.Phases;

    /// <inheritdoc/>
    public virtual ImmutableArray<string> NotReady() => Engine.Ticks == 0 ? ["the first tick is not attributed yet"] : [];

    /// <inheritdoc/>
    public void Dispose()
    {
        // The services know it under two types, and each of them is disposed of.
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        // What is kept needs the sources once more.
        _keeper?.Close();
        _keeper?.Dispose();
        DisposeSources();
        _self.Dispose();
        _stat.Dispose();
    }

    /// <summary>What an earlier run left is used up.</summary>
    protected void ForgetState() => State = State with { Saved = null };

    /// <summary>Closes the sources.</summary>
    protected abstract void DisposeSources();
}
