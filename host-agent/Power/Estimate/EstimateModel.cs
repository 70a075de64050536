using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// Power of one package's share of the whole server: idle watts of every hardware thread, plus what a loaded thread draws
/// more for the time that threads worked. Memory is inside that figure and is split off, not added.
/// </summary>
/// <param name="basis">The coefficients.</param>
/// <param name="memoryKibibytes">Memory attached to the package, KiB; 0 where unknown: nothing is split off then.</param>
internal sealed class EstimateModel(EstimateBasis basis, long memoryKibibytes)
{
    /// <summary>The usual planning figure, 0.3 to 0.4 W a GB, its middle, in µW a GiB.</summary>
    internal const long MemoryMicrowattsPerGibibyte = 350_000;

    /// <summary>Memory is at most one part in so many of the whole: a large idle machine's DIMMs are in self-refresh.</summary>
    internal const int MemoryPart = 4;

    private readonly long _memoryMicrowatts = (long)((Int128)MemoryMicrowattsPerGibibyte * memoryKibibytes / (1024 * 1024));
    private EnergyIntegral _package;
    private EnergyIntegral _dram;

    /// <summary>What comes from memory while idle, watts: for display and bounds.</summary>
    internal double IdleDramWatts(int threads) => Math.Min(_memoryMicrowatts, basis.IdleMicrowatts * threads / MemoryPart) / 1e6;

    /// <summary>What the rest draws while idle, watts: for display and bounds.</summary>
    internal double IdlePackageWatts(int threads) => basis.IdleMicrowatts * threads / 1e6 - IdleDramWatts(threads);

    /// <summary>Energy of a span.</summary>
    /// <param name="threads">Hardware threads online in the package.</param>
    /// <param name="interval">The span.</param>
    /// <param name="busy">How long its threads worked in the span, all together; more than all of them could is cut.</param>
    /// <returns>Of everything but memory, and of memory.</returns>
    internal (Microjoules Package, Microjoules Dram) Sample(int threads, MonotonicSpan interval, CpuTime busy)
    {
        Int128 capacity = (Int128)threads * interval.Nanoseconds;
        Int128 worked = Int128.Clamp(busy.Nanoseconds, 0, capacity);
        Int128 whole = basis.IdleMicrowatts * capacity + (basis.FullMicrowatts - basis.IdleMicrowatts) * worked;
        Int128 memory = Int128.Min((Int128)_memoryMicrowatts * interval.Nanoseconds, whole / MemoryPart);
        return (new(_package.Add(whole - memory)), new(_dram.Add(memory)));
    }
}
