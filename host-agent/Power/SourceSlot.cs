using Keck.Metering;

namespace Keck.Power;

/// <summary>A source's place in the set, and the storage of its readings.</summary>
/// <param name="source">The source.</param>
/// <param name="first">Index of its first meter in the set.</param>
/// <param name="nowNanoseconds">When it was found, monotonic, ns.</param>
internal sealed class SourceSlot(IEnergySource source, int first, long nowNanoseconds)
{
    /// <summary>The source.</summary>
    internal IEnergySource Source { get; } = source;

    /// <summary>Index of its first meter in the set.</summary>
    internal int First { get; } = first;

    /// <summary>One report per meter; written by the thread that reads the source.</summary>
    internal MeterReport[] Reports { get; } = new MeterReport[source.Meters.Length];

    /// <summary>What a polled source said since the last tick; guarded by the set's lock.</summary>
    internal Column<MeterSample> Said { get; } = new();

    /// <summary>When a polled source last answered, monotonic, ns; guarded by the set's lock.</summary>
    internal long AnsweredNanoseconds { get; set; } = nowNanoseconds;
}
