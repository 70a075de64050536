namespace Keck.Metering;

/// <summary>Where work lies among instruction mixes: logarithms, since what matters is how many times more or fewer.</summary>
/// <param name="X">log₂ of instructions per cycle.</param>
/// <param name="Y">Half of log₂ of misses per 1,000 instructions; below a few hundredths all are the same.</param>
internal readonly record struct MixPlace(double X, double Y)
{
    /// <summary>A thread with fewer instructions in a tick says nothing of what it does.</summary>
    internal const long LeastInstructions = 10_000;

    private const double NoMisses = 0.02;

    /// <summary>The place of a thread's counts; false where they say nothing.</summary>
    internal static bool TryOf(in ThreadSample thread, out MixPlace place)
    {
        bool known = thread.Instructions >= LeastInstructions && thread.Cycles > 0 && thread.LlcMisses >= 0;
        place = known ? Of((double)thread.Instructions / thread.Cycles, thread.LlcMisses * 1e3 / thread.Instructions) : default;
        return known;
    }

    internal static MixPlace Of(double instructionsPerCycle, double missesPerKiloInstruction) =>
        new(Math.Log2(instructionsPerCycle), Math.Log2(missesPerKiloInstruction + NoMisses) / 2);

    internal double InstructionsPerCycle => Math.Pow(2, X);

    internal double MissesPerKiloInstruction => Math.Max(0, Math.Pow(2, 2 * Y) - NoMisses);

    internal double SquareTo(MixPlace other) => ((X - other.X) * (X - other.X)) + ((Y - other.Y) * (Y - other.Y));
}
