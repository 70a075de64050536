using Keck.Metering;

namespace Keck.Bpf;

/// <summary>How the in-kernel accounting is set up.</summary>
public sealed record BpfOptions
{
    /// <summary>The machine's CPUs: which are siblings, and the base frequency.</summary>
    public required Topology Topology { get; init; }

    /// <summary>Size of the tables.</summary>
    /// <value>Standard.</value>
    public BpfProfile Profile { get; init; } = BpfProfile.Standard;

    /// <summary>Where procfs is mounted.</summary>
    /// <value>/proc.</value>
    public string ProcRoot { get; init; } = "/proc";

    /// <summary>Where sysfs is mounted.</summary>
    /// <value>/sys.</value>
    public string SysRoot { get; init; } = "/sys";

    /// <summary>Where devices are (<c>cpu/N/msr</c>).</summary>
    /// <value>/dev.</value>
    public string DevRoot { get; init; } = "/dev";

    /// <summary>
    /// Perf events counted per thread: instructions, cycles, LLC misses, in this order; about 180 ns each at every switch.
    /// </summary>
    /// <value>None; three at most.</value>
    public IReadOnlyList<PerfCounter> Counters { get; init; } = [];

    /// <summary>Whether the <c>cpu_frequency</c> tracepoint is attached; silent under HWP and amd-pstate EPP.</summary>
    /// <value>False.</value>
    public bool FrequencyTracepoint { get; init; }

    /// <summary>Slots, a power of two; null for the profile's.</summary>
    internal int? Slots { get; init; }

    /// <summary>Inline entries used, 1 or 2.</summary>
    internal int Entries { get; init; } = 2;
}
