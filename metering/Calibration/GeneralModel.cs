using System.Runtime.CompilerServices;

namespace Keck.Metering;

/// <summary>
/// What the active energy of any CPU is made of, before anything is known of this one: the features of a machine profile with coefficients
/// relative to a core that does one instruction a cycle at a nominal clock. Learning makes them this machine's own.
/// </summary>
internal static class GeneralModel
{
    // Scales of the features only: which clock is nominal matters little, since the whole is scaled to the meter.
    private const double NominalGigahertz = 2.5;
    private const double MissCycles = 50;

    // Arrays: a span of constants allocates where the code is not optimised.
    private static readonly double[] Priors = [0.15, 0.05, 0.35, 0, 0.2, 0.2, 0.16, 0.15];
    private static readonly double[] PriorDeviations = [0.15, 0.15, 0.25, 0.15, 0.2, 0.2, 0.16, 0.12];

    /// <summary>
    /// By <see cref="PowerFeatures"/>. A busy core's leakage (0.15); its clock, V²·f with a voltage that rises with the clock (0.4); as much again for
    /// an instruction each cycle, V² between constant and square; 8 nominal cycles' worth for a miss that goes to memory; and what is awake around the
    /// cores, a sixth of all of them busy. They are round figures of what is published of servers, not fitted to any machine.
    /// </summary>
    internal static ReadOnlySpan<double> Prior => Priors;

    /// <summary>How far machines are from it: standard deviations.</summary>
    internal static ReadOnlySpan<double> Deviations => PriorDeviations;

    /// <summary>What a run draws, and how much more by what has been learned; and adds what it has of each feature but the last.</summary>
    /// <param name="sums">By feature.</param>
    /// <param name="learned">How this machine's coefficients differ.</param>
    /// <param name="time">The run's time, what is shared with a sibling halved, ns.</param>
    /// <param name="gigahertz">Its frequency.</param>
    /// <param name="instructions">Its part of the thread's instructions.</param>
    /// <param name="misses">Its part of the thread's misses.</param>
    internal static (double Power, double Shift) Add(Span<double> sums, ReadOnlySpan<double> learned, double time, double gigahertz, double instructions, double misses)
    {
        ReadOnlySpan<double> prior = Priors.AsSpan(0, PowerFeatures.Count);
        learned = learned[..PowerFeatures.Count];
        sums = sums[..PowerFeatures.Count];
        double relative = gigahertz * (1 / NominalGigahertz), square = relative * relative;
        double cycles = time * relative, work = instructions * (1 / NominalGigahertz), missed = misses * (MissCycles / NominalGigahertz);
        sums[PowerFeatures.Awake] += time;
        sums[PowerFeatures.Cycles] += cycles;
        sums[PowerFeatures.CyclesByFrequency] += cycles * relative;
        sums[PowerFeatures.CyclesBySquare] += cycles * square;
        sums[PowerFeatures.Instructions] += work;
        sums[PowerFeatures.InstructionsBySquare] += work * square;
        sums[PowerFeatures.Misses] += missed;
        return (Of(prior), Of(learned));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        double Of(ReadOnlySpan<double> coefficients) =>
            (time * coefficients[PowerFeatures.Awake])
            + (cycles * (coefficients[PowerFeatures.Cycles] + (relative * coefficients[PowerFeatures.CyclesByFrequency]) + (square * coefficients[PowerFeatures.CyclesBySquare])))
            + (work * (coefficients[PowerFeatures.Instructions] + (square * coefficients[PowerFeatures.InstructionsBySquare])))
            + (missed * coefficients[PowerFeatures.Misses]);
    }
}
