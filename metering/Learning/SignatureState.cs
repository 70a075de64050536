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
/// <param name="Scales">By model: energy, and the weights that it came from.</param>
/// <param name="Meters">By meter, the first few: how late it is.</param>
/// <param name="Factors">By slot.</param>
/// <param name="Covariance">Of the factors, row by row, slots × slots.</param>
public sealed record SignatureDomainState(
    ImmutableArray<WeightScale> Scales, ImmutableArray<LatenessState> Meters, ImmutableArray<double> Factors, ImmutableArray<double> Covariance);

/// <summary>How weights become energy.</summary>
/// <param name="Microjoules">Energy lately, µJ.</param>
/// <param name="Weight">What it weighed.</param>
public readonly record struct WeightScale(double Microjoules, double Weight);

/// <summary>How late a meter's readings are.</summary>
/// <param name="Off">What the last tick was off by, µJ.</param>
/// <param name="Step">The last change of that, µJ.</param>
/// <param name="Products">Mean product of two such changes, µJ².</param>
/// <param name="Odd">Which of its two states is the present one.</param>
public readonly record struct LatenessState(double Off, double Step, double Products, bool Odd);
