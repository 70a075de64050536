namespace Keck.Metering;

/// <summary>What one owner ran on one zone since a slow meter was last read.</summary>
/// <param name="Owner">Row in the <see cref="ProcessTable"/>; -1 system, -2 unattributed.</param>
/// <param name="StartNanoseconds">Start of the process on that row, since boot: a row may have been given to another since; 0 for other owners.</param>
/// <param name="Zone">The package, or the CPU where meters are of single CPUs; -1 where unknown.</param>
/// <param name="Weight">Weight under the ticks' models.</param>
/// <param name="Time">Weight by time alone, ns.</param>
public readonly record struct SpanPart(int Owner, long StartNanoseconds, int Zone, double Weight, double Time);
