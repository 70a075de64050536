namespace Keck.Power;

/// <summary>What a new value of a cumulative counter means.</summary>
internal enum CounterVerdict
{
    /// <summary>The count starts here; there is no energy yet.</summary>
    Baseline,

    /// <summary>Energy since the reading before.</summary>
    Energy,

    /// <summary>Energy since the reading before, one wrap undone.</summary>
    Wrapped,

    /// <summary>Exact energy of a span in which more than half of the counter's range could have passed.</summary>
    Late,

    /// <summary>Two readings agree with each other after a reset or a jump: energy between the two, the count goes on from here.</summary>
    Resumed,

    /// <summary>More than the whole range could have passed: the energy is unknown, the count starts again here.</summary>
    Gap,

    /// <summary>The counter went back and had not wrapped.</summary>
    Reset,

    /// <summary>The counter went up by more than the machine can draw.</summary>
    Jump,

    /// <summary>The value lies outside the counter's range.</summary>
    OutOfRange,

    /// <summary>The counter has only ever read zero.</summary>
    FlatZero,
}

/// <summary>A verdict and its energy.</summary>
/// <param name="Verdict">What the value means.</param>
/// <param name="Microjoules">Energy, µJ; 0 and without meaning for a verdict that carries none.</param>
internal readonly record struct CounterStep(CounterVerdict Verdict, long Microjoules);
