namespace Keck.Metering;

/// <summary>What a run's energy is made of. Each feature times its coefficient, summed, is µJ; coefficients are not negative.</summary>
internal static class PowerFeatures
{
    /// <summary>How many there are.</summary>
    internal const int Count = 8;

    internal const int Awake = 0;
    internal const int Cycles = 1;
    internal const int CyclesByFrequency = 2;
    internal const int CyclesBySquare = 3;
    internal const int Instructions = 4;
    internal const int InstructionsBySquare = 5;
    internal const int Misses = 6;

    /// <summary>Time in which anybody was awake on the package: shared by who ran, by time.</summary>
    internal const int PackageAwake = 7;

    /// <summary>A nanosecond beside a busy hyperthread has half of the core.</summary>
    internal const double SharedWeight = 0.5;

    /// <summary>Features of counters: without these there is time and frequency.</summary>
    internal const int FirstOfCounters = Instructions;

    private static readonly string[] Names =
    [
        "awakeMicrojoulesPerNanosecond", "microjoulesPerCycle", "microjoulesPerCycleGigahertz", "microjoulesPerCycleGigahertzSquared",
        "microjoulesPerInstruction", "microjoulesPerInstructionGigahertzSquared", "microjoulesPerMiss",
        "packageAwakeMicrojoulesPerNanosecond",
    ];

    /// <summary>Name of a feature's coefficient in a machine profile.</summary>
    internal static string Name(int feature) => Names[feature];

    /// <summary>Adds what a run has of each feature.</summary>
    /// <param name="into">The sums.</param>
    /// <param name="time">Its time, what is shared with a sibling halved, ns.</param>
    /// <param name="gigahertz">Its frequency.</param>
    /// <param name="instructions">Its part of the thread's instructions.</param>
    /// <param name="misses">Its part of the thread's misses.</param>
    internal static void Add(Span<double> into, double time, double gigahertz, double instructions, double misses)
    {
        double square = gigahertz * gigahertz;
        into[Awake] += time;
        into[Cycles] += time * gigahertz;
        into[CyclesByFrequency] += time * square;
        into[CyclesBySquare] += time * square * gigahertz;
        into[Instructions] += instructions;
        into[InstructionsBySquare] += instructions * square;
        into[Misses] += misses;
    }

    /// <summary>µJ of a run by these coefficients.</summary>
    internal static double Energy(ReadOnlySpan<double> coefficients, double time, double gigahertz, double instructions, double misses)
    {
        double square = gigahertz * gigahertz;
        return (time * (coefficients[Awake] + (gigahertz * (coefficients[Cycles] + (gigahertz * (coefficients[CyclesByFrequency] + (gigahertz * coefficients[CyclesBySquare])))))))
            + (instructions * (coefficients[Instructions] + (square * coefficients[InstructionsBySquare])))
            + (misses * coefficients[Misses]);
    }
}
