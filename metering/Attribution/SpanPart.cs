namespace Keck.Metering;

/// <summary>What one owner ran on one package since a slow meter was last read.</summary>
/// <param name="Owner">Row in the <see cref="ProcessTable"/>; -1 system, -2 unattributed.</param>
/// <param name="Package">The package; -1 where unknown.</param>
/// <param name="Weight">Weight under the ticks' models.</param>
/// <param name="Time">Weight by time alone, ns.</param>
public readonly record struct SpanPart(int Owner, int Package, double Weight, double Time);
