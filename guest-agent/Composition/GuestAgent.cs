using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Keck.Agent;
using Keck.Metering;
using Keck.Power;
using Microsoft.Extensions.Logging;

namespace Keck.Guest;

/// <summary>Everything of a running guest agent: the budget (or an estimate) and who ran → engine → what the outlets ask.</summary>
internal sealed class GuestAgent : AgentCore
{
    private readonly MeterSet _estimate;
    private readonly RunSources _runs;
    private readonly PowercapTree? _tree;
    private readonly BudgetFile? _file;
    private readonly (long Package, long Dram) _before;

    private GuestAgent(
        GuestOptions options, TimeProvider time, MeterSet estimate, BudgetFeed feed, RunSources runs, WorkloadFeed workloads, StateKeeper? keeper, PowercapTree? tree, BudgetFile? file)
        : base(options, time, runs.Source, feed, workloads, keeper)
    {
        (_estimate, _runs, _tree, _file, Feed, Workloads) = (estimate, runs, tree, file, feed, workloads);
        estimate.Start();
        _before = Counted(State.Ledger.Snapshot());
        if (State.Saved is { } saved)
        {
            feed.Resume(saved);
            file?.CountFrom(State.Ledger.Snapshot());
        }
        else if (tree is not null)
        {
            // Without a ledger that goes on, the tree does.
            _before = tree.Shown;
        }

        ForgetState();
        keeper?.Follow(Engine, feed.Write);
    }

    internal override string Program => Settings.Table.Program;

    /// <summary>The budget.</summary>
    internal BudgetFeed Feed { get; }

    internal override WorkloadFeed Workloads { get; }

    /// <summary>How often the host is told who used the budget: seldom enough for a small guest, often enough for a look at it.</summary>
    internal TimeSpan UsagePeriod => Options.Profile == ProfileKind.Full ? TimeSpan.FromSeconds(2) : TimeSpan.FromSeconds(5);

    protected override TraceCpu Cpu => new(_estimate.Cpu.Vendor, _estimate.Cpu.Family, _estimate.Cpu.Model, _estimate.Cpu.Stepping, _estimate.Cpu.Microcode, _estimate.Cpu.Name);

    protected override long? MapBytes => _runs.MapBytes;

    /// <summary>Wires the agent; throws <see cref="StartException"/> for what cannot work.</summary>
    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The agent owns its sources and disposes of them.")]
    internal static GuestAgent Create(GuestOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        MeterSet estimate = MeterSet.Discover(
            new PowerOptions { SysRoot = options.SysRoot, ProcRoot = options.ProcRoot, Estimate = options.Estimate }, time, loggers.CreateLogger("Keck.Power"));
        try
        {
            RunSources runs = RunSources.Open(options, AgentProfile.Of(options.Profile), estimate.Topology, time, loggers);
            ILogger logger = loggers.CreateLogger("Keck.Guest");
            return new GuestAgent(
                options,
                time,
                estimate,
                new BudgetFeed(estimate, time, logger),
                runs,
                WorkloadFeed.Create(options, time, loggers),
                StateOpening.Open(options, time, logger),
                options.Powercap is { } root ? PowercapTree.Create(root, logger) : null,
                options.Powercap is { } beside ? BudgetFile.Create(beside, time, logger) : null);
        }
        catch
        {
            estimate.Dispose();
            throw;
        }
    }

    /// <summary>Brings the powercap-like tree, and what a host agent beside us reads, up to the last tick.</summary>
    internal void ShowTree()
    {
        if (Feed.InUse)
        {
            (long package, long dram) = Feed.Delivered;
            _tree?.Write(_before.Package + package, _before.Dram + dram);
            (long reached, ImmutableArray<BudgetCount> counters) = Feed.Counts;
            _file?.Write(reached, counters);
        }
    }

    /// <summary>Between ticks that are far apart: says that the figures still hold.</summary>
    internal void KeepShown()
    {
        if (Feed.InUse)
        {
            _file?.Refresh();
        }
    }

    internal override void RefreshTopology() => _ = _estimate.RefreshTopology();

    public override ImmutableArray<Keck.Agent.MeterReport> Meters() => Feed.Reports();

    public override RunSourceFacts Runs() => _runs.Facts();

    protected override void DisposeSources()
    {
        _estimate.Dispose();
        _runs.Dispose();
    }

    // What an earlier run has shown already: the tree's counters go on from there.
    private static (long Package, long Dram) Counted(LedgerSnapshot ledger)
    {
        (long package, long dram) = (0, 0);
        foreach (MeterTotals meter in ledger.Meters.Where(static meter => meter.Meter.Origin == EnergyOrigin.Budget))
        {
            bool memory = meter.Meter.Domain == EnergyDomain.Dram || meter.Meter.Id == Meter.StaticMemoryId;
            (package, dram) = memory ? (package, dram + meter.Total) : (package + meter.Total, dram);
        }

        return (package, dram);
    }
}
