using System.Collections.Immutable;

namespace Keck.Power;

/// <summary>
/// One way to learn energy: what it can tell, and a read. A source keeps no statistics, logs nothing and selects nothing:
/// the <see cref="MeterSet"/> does that for all of them.
/// </summary>
public interface IEnergySource : IDisposable
{
    /// <summary>In a word, for <c>doctor</c>, logs and the API, such as <c>rapl</c>.</summary>
    string Name { get; }

    /// <summary>How often to read it.</summary>
    MeterTier Tier { get; }

    /// <summary>What it found, in a fixed order; empty where it found nothing.</summary>
    ImmutableArray<SourceMeter> Meters { get; }

    /// <summary>What it found and what would help, for <c>doctor</c>.</summary>
    SourceFinding Finding { get; }

    /// <summary>
    /// Reads every meter. Never throws for what a device or a file says; called by one thread at a time.
    /// </summary>
    /// <param name="context">The tick that ends with this read.</param>
    /// <param name="reports">One per entry of <see cref="Meters"/>, cleared; a meter that has nothing new to say leaves its own alone.</param>
    void Read(in ReadContext context, Span<MeterReport> reports);
}
