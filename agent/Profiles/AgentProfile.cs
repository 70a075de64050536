using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>What a profile allows. The figures are the product's promises; see docs/performance.md.</summary>
public sealed record AgentProfile
{
    /// <summary>About 10 MB, 1,000 processes.</summary>
    public static AgentProfile Minimal { get; } = new()
    {
        Kind = ProfileKind.Minimal,
        MemoryBudgetBytes = 10 << 20,
        CpuBudgetRatio = 0.005,
        MaxEndedProcesses = 100,
        FastPeriod = TimeSpan.FromSeconds(1),
        ReportPeriod = TimeSpan.FromSeconds(60),
        ModelLimit = ModelKind.CpuTimeRatio,
        Signatures = false,
        History = HistoryLayout.Minimal,
        MetricSeriesLimit = 200,
        HistoryPeriod = TimeSpan.FromSeconds(5),
        TrimPeriod = TimeSpan.FromSeconds(15),
    };

    /// <summary>About 50 MB, 10,000 processes.</summary>
    public static AgentProfile Standard { get; } = new()
    {
        Kind = ProfileKind.Standard,
        MemoryBudgetBytes = 50 << 20,
        CpuBudgetRatio = 0.01,
        MaxEndedProcesses = 500,
        FastPeriod = TimeSpan.FromMilliseconds(500),
        ReportPeriod = TimeSpan.FromSeconds(10),
        ModelLimit = ModelKind.FrequencyWeighted,
        History = HistoryLayout.Standard,
        MetricSeriesLimit = 1_000,
        TrimPeriod = TimeSpan.FromMinutes(1),
    };

    /// <summary>About 200 MB, 100,000 processes.</summary>
    public static AgentProfile Full { get; } = new()
    {
        Kind = ProfileKind.Full,
        MemoryBudgetBytes = 200 << 20,
        CpuBudgetRatio = 0.05,
        MaxEndedProcesses = 5_000,
        FastPeriod = TimeSpan.FromMilliseconds(100),
        ReportPeriod = TimeSpan.FromSeconds(5),
        ModelLimit = ModelKind.FullModel,
        ReportsProcesses = true,
        History = HistoryLayout.Full,
        MetricSeriesLimit = 5_000,
    };

    /// <summary>All profiles, cheapest first: indexed by <see cref="ProfileKind"/>.</summary>
    public static ImmutableArray<AgentProfile> All { get; } = [Minimal, Standard, Full];

    /// <summary>Which one it is.</summary>
    public required ProfileKind Kind { get; init; }

    /// <summary>Anonymous resident memory the agent may hold, bytes; eBPF maps are bounded and reported apart.</summary>
    public required long MemoryBudgetBytes { get; init; }

    /// <summary>Part of one CPU the agent may use, averaged.</summary>
    public required double CpuBudgetRatio { get; init; }

    /// <summary>
    /// Ended processes kept for outlets that have not seen them; the oldest go first, what they used stays. A fork storm ends
    /// processes faster than anybody looks, and one kept costs about 10 KB in all. Live ones are bounded by the run source's slots.
    /// </summary>
    public required int MaxEndedProcesses { get; init; }

    /// <summary>Period of the fast tier: RAPL and the drain of runs.</summary>
    public required TimeSpan FastPeriod { get; init; }

    /// <summary>Period of reports to controller or fleet.</summary>
    public required TimeSpan ReportPeriod { get; init; }

    /// <summary>The most detailed model used.</summary>
    public required ModelKind ModelLimit { get; init; }

    /// <summary>Whether large consumers get factors of their own (<see cref="AttributionOptions.Signatures"/>).</summary>
    public bool Signatures { get; init; } = true;

    /// <summary>Whether reports go down to processes, or stop at pods.</summary>
    public bool ReportsProcesses { get; init; }

    /// <summary>Size of the ring store.</summary>
    public required HistoryLayout History { get; init; }

    /// <summary>How often the ring store takes a record: a whole number of seconds, at least the fast period.</summary>
    public TimeSpan HistoryPeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Containers, and pods, that metrics show one by one.</summary>
    public required int MetricSeriesLimit { get; init; }

    /// <summary>How often the managed heap is compacted and what is free is given back; null for when the collector sees fit.</summary>
    public TimeSpan? TrimPeriod { get; init; }

    /// <summary>Its name on the command line and in the API.</summary>
    public string Name => Kind.Name();

    /// <summary>The profile of a kind.</summary>
    public static AgentProfile Of(ProfileKind kind) => All[(int)kind];
}
