namespace Keck.Metering;

/// <summary>What is assumed of a machine's idle power before it has been seen idle: a part of its power under full load.</summary>
/// <param name="IdleToFull">Idle power over full power, above 0 and at most 1.</param>
/// <param name="Least">95 % lower bound of it.</param>
/// <param name="Most">95 % upper bound of it.</param>
/// <param name="Source">Where it comes from, in words.</param>
public sealed record IdlePrior(double IdleToFull, double Least, double Most, string Source)
{
    /// <summary>
    /// For a machine of which nothing is known: medians of published servers lie between 0.13 and 0.26 by generation, their spread
    /// between 0.08 and 0.32.
    /// </summary>
    public static IdlePrior Generic { get; } = new(0.2, 0.08, 0.32, "servers of all generations");
}
