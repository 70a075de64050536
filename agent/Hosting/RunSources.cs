using System.Diagnostics.CodeAnalysis;
using Keck.Bpf;
using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Agent;

/// <summary>Chooses where CPU time comes from: eBPF where it can be had, else cgroups and schedstat.</summary>
internal sealed class RunSources : IDisposable
{
    private readonly BpfRunSource? _bpf;

    private RunSources(IRunSource source) => (Source, _bpf) = (source, source as BpfRunSource);

    /// <summary>The source in use.</summary>
    internal IRunSource Source { get; }

    /// <summary>Memory of the eBPF maps, bytes; null without eBPF.</summary>
    internal long? MapBytes => _bpf?.MapBytes;

    /// <summary>Opens the source that was asked for; throws <see cref="StartException"/> where it cannot be had.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The result owns the source and disposes it.")]
    internal static RunSources Open(AgentOptions options, AgentProfile profile, Topology topology, TimeProvider time, ILoggerFactory loggers)
    {
        ILogger logger = loggers.CreateLogger("Keck.Bpf");

        // The kernel's accounting is of this machine: with other trees it would be of another one than the rest.
        if (options.Runs != RunSourceChoice.Schedstat && (options.OwnTrees || options.Runs == RunSourceChoice.Ebpf))
        {
            BpfStart start = BpfProbe.TryStart(BpfOptions(options, profile, topology), logger);
            if (start.Source is { } source)
            {
                return new RunSources(source);
            }

            if (options.Runs == RunSourceChoice.Ebpf)
            {
                throw new StartException($"--runs ebpf: {start.Message} {start.Detail}".TrimEnd());
            }
        }

        return new RunSources(new SchedstatRunSource(
            new SchedstatOptions { ProcRoot = options.ProcRoot, CgroupRoot = Path.Combine(options.SysRoot, "fs/cgroup") }, time));
    }

    /// <summary>What eBPF needs and whether it is there, for <c>doctor</c>.</summary>
    internal static IReadOnlyList<CapabilityCheck> Examine(AgentOptions options, Topology topology, string unit) =>
        BpfDoctor.Examine(BpfOptions(options, AgentProfile.Of(options.Profile), topology), unit);

    /// <summary>How well the source sees.</summary>
    internal RunSourceFacts Facts() => _bpf is null
        ? new RunSourceFacts(Source.Name)
        : new RunSourceFacts(Source.Name)
        {
            Counters = !_bpf.Counts ? CounterState.None : _bpf.CountersTaken ? CounterState.Multiplexed : CounterState.Counted,
            Switches = _bpf.Switches,
            MissedSwitches = _bpf.MissedSwitches,
            LostNanoseconds = _bpf.ReportedLostNanoseconds,
            UnplacedNanoseconds = _bpf.UnplacedSoFarNanoseconds,
            UnconfirmedCuts = _bpf.UnconfirmedCuts,
            SlotsUsed = _bpf.SlotsInUse,
            SlotLimit = _bpf.SlotCapacity,
        };

    public void Dispose() => (Source as IDisposable)?.Dispose();

    private static BpfOptions BpfOptions(AgentOptions options, AgentProfile profile, Topology topology) => new()
    {
        Topology = topology,
        Profile = profile.Kind switch
        {
            ProfileKind.Minimal => BpfProfile.Minimal,
            ProfileKind.Standard => BpfProfile.Standard,
            _ => BpfProfile.Full,
        },
        ProcRoot = options.ProcRoot,
        SysRoot = options.SysRoot,
        Counters = profile.ModelLimit == ModelKind.FullModel ? [PerfCounter.Instructions, PerfCounter.Cycles, PerfCounter.LlcMisses] : [],
        FrequencyTracepoint = profile.ModelLimit != ModelKind.CpuTimeRatio,
    };
}
