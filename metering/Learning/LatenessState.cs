namespace Keck.Metering;

/// <summary>How late a meter's readings are.</summary>
/// <param name="Off">What the last tick was off by, µJ.</param>
/// <param name="Step">The last change of that, µJ.</param>
/// <param name="Products">Mean product of two such changes, µJ².</param>
/// <param name="Odd">Which of its two states is the present one.</param>
public readonly record struct LatenessState(double Off, double Step, double Products, bool Odd);
