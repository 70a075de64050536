using System.Globalization;
using System.Numerics;
using Keck.Bpf.Interop;

namespace Keck.Bpf;

/// <summary>Sizes of the maps and what the programs do; fixed at the load.</summary>
internal sealed record BpfLayout
{
    private const int MostCpus = 1024;

    /// <summary>Possible CPUs.</summary>
    internal required int Cpus { get; init; }

    /// <summary>Slots, a power of two.</summary>
    internal required int Slots { get; init; }

    /// <summary>Entries of the pid table, a power of two, at least 8.</summary>
    internal required int Pids { get; init; }

    /// <summary>Whether some CPU has a sibling.</summary>
    internal bool Smt { get; init; }

    /// <summary>Whether ns × MHz is summed at each switch.</summary>
    internal bool FrequencyTracepoint { get; init; }

    /// <summary>Perf counters read at each switch, at most three: instructions, cycles, LLC misses.</summary>
    internal IReadOnlyList<PerfCounter> Counters { get; init; } = [];

    /// <summary>Inline entries of a slot used; fewer than all only in tests of the overflow.</summary>
    internal int Entries { get; init; } = EntryRecords.Count;

    /// <summary>The layout for this machine.</summary>
    internal static BpfLayout For(BpfOptions options)
    {
        (int slots, int pids) = options.Profile switch
        {
            BpfProfile.Minimal => (4_096, 32_768),
            BpfProfile.Standard => (32_768, 131_072),
            _ => (131_072, 1_048_576),
        };
        return new BpfLayout
        {
            Cpus = Math.Clamp(CpuList.Read(Path.Combine(options.SysRoot, "devices/system/cpu/possible"), options.Topology.CpuLimit), 1, MostCpus),
            Slots = options.Slots ?? slots,
            Pids = (int)Math.Clamp(BitOperations.RoundUpToPowerOf2((uint)PidLimit(options.ProcRoot)), 8, (uint)pids),
            Smt = options.Topology.Cpus.Any(place => options.Topology.Sibling(place.Cpu) >= 0),
            FrequencyTracepoint = options.FrequencyTracepoint,
            Counters = options.Counters,
            Entries = options.Entries,
        };
    }

    private static int PidLimit(string procRoot)
    {
        string file = Path.Combine(procRoot, "sys/kernel/pid_max");
        return File.Exists(file) && int.TryParse(File.ReadAllText(file), NumberStyles.None | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int limit)
            ? limit
            : 4_194_304;
    }
}
