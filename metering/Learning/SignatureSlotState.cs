using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Who has a factor.</summary>
/// <param name="Machine">A machine's UUID; null for a process or a free slot.</param>
/// <param name="Rows">Its processes.</param>
/// <param name="Share">Its part of what ran lately.</param>
/// <param name="Ipc">Instructions per cycle; 0 where unknown.</param>
/// <param name="MissRate">Misses per cycle.</param>
/// <param name="OtherSeconds">How long it has been different, s.</param>
/// <param name="Amount">What it ran in the last tick, in weights.</param>
/// <param name="Instructions">What it did in the last tick.</param>
/// <param name="Cycles">Its cycles.</param>
/// <param name="Misses">Its misses.</param>
/// <param name="Fresh">Whether it has not been looked at what kind of work it does.</param>
public sealed record SignatureSlotState(
    string? Machine, ImmutableArray<SignatureRow> Rows, double Share, double Ipc, double MissRate, double OtherSeconds, double Amount,
    double Instructions, double Cycles, double Misses, bool Fresh = false);
