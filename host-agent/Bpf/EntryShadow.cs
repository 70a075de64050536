using Keck.Bpf.Interop;

namespace Keck.Bpf;

/// <summary>What has been reported of one thread on one CPU.</summary>
internal struct EntryShadow
{
    internal ulong Nanoseconds;
    internal ulong Weighted;
    internal ulong SharedNanoseconds;

    /// <summary>CPU + 1; 0 for none.</summary>
    internal uint CpuPlusOne;

    /// <summary>What the kernel's entry says now.</summary>
    internal static EntryShadow Of(ref EntryRecord entry) => new()
    {
        Nanoseconds = entry.Nanoseconds,
        Weighted = entry.Weighted,
        SharedNanoseconds = entry.SharedNanoseconds,
        CpuPlusOne = entry.CpuPlusOne,
    };

    /// <summary>Adds the slice that the CPU's snapshot found running.</summary>
    internal void AddInFlight(in CpuSnapshot snapshot)
    {
        Nanoseconds += snapshot.InFlight;
        Weighted += snapshot.InFlight * snapshot.Record.Megahertz;
        SharedNanoseconds += snapshot.InFlightShared;
    }
}
