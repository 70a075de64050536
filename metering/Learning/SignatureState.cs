using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Everything that has been learned of consumers, as a trace's header carries it.</summary>
/// <param name="Slots">Who has a factor of its own; the first two are the kernel and the rest.</param>
/// <param name="Domains">The factors on meters that follow runs, and on memory's.</param>
public sealed record SignatureState(ImmutableArray<SignatureSlotState> Slots, ImmutableArray<SignatureDomainState> Domains);

/// <summary>Who has a factor.</summary>
/// <param name="Machine">A machine's UUID; null for a process or a free slot.</param>
/// <param name="Rows">Its processes.</param>
/// <param name="Share">Its part of what ran lately.</param>
/// <param name="Ipc">Instructions per cycle; 0 where unknown.</param>
/// <param name="MissRate">Misses per cycle.</param>
/// <param name="OtherSeconds">How long it has been different, s.</param>
/// <param name="Amount">What it ran in the last tick, in weights.</param>
public sealed record SignatureSlotState(
    string? Machine, ImmutableArray<SignatureRow> Rows, double Share, double Ipc, double MissRate, double OtherSeconds, double Amount);

/// <summary>A process that a slot is of.</summary>
/// <param name="Row">Its row.</param>
/// <param name="Pid">Its pid.</param>
/// <param name="StartNanoseconds">Its start since boot, ns.</param>
public readonly record struct SignatureRow(int Row, int Pid, long StartNanoseconds);

/// <summary>What has been learned on one kind of meter.</summary>
/// <param name="ScaleEnergy">Energy of the scale, µJ.</param>
/// <param name="ScaleWeight">Weights of the scale.</param>
/// <param name="Factors">By slot.</param>
/// <param name="Covariance">Of the factors, row by row, slots × slots.</param>
public sealed record SignatureDomainState(double ScaleEnergy, double ScaleWeight, ImmutableArray<double> Factors, ImmutableArray<double> Covariance);
