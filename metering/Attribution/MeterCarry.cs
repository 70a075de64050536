using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>What is carried for one selected meter between ticks besides its floor: the gauge held, and what ran since a slow meter was last read.</summary>
public sealed record MeterCarry
{
    /// <summary>Whether the meter ever said something.</summary>
    public bool EverRead { get; init; }

    /// <summary>When it was last read, on the observation's clock, ns.</summary>
    public long ReadNanoseconds { get; init; }

    /// <summary>Whether its last reading was unattributable.</summary>
    public bool Unattributable { get; init; }

    /// <summary>A gauge's last reading, mW; <see cref="Unobserved.Value"/> where there is none.</summary>
    public long Milliwatts { get; init; } = Unobserved.Value;

    /// <summary>When the gauge was read, ns.</summary>
    public long GaugeReadNanoseconds { get; init; }

    /// <summary>Energy of the gauge below a microjoule, not yet booked, pJ (0 to 999,999).</summary>
    public long GaugeRemainderPicojoules { get; init; }

    /// <summary>Length of the ticks since the last reading, ns.</summary>
    public long SpanNanoseconds { get; init; }

    /// <summary>Busy time of the meter's CPUs in them, ns.</summary>
    public double SpanBusy { get; init; }

    /// <summary>CPU time available in them, ns.</summary>
    public double SpanCapacity { get; init; }

    /// <summary>What ran in them.</summary>
    public ImmutableArray<SpanPart> Span { get; init; } = [];
}
