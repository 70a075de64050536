namespace Keck.Lab;

/// <summary>The highest clock with at most so many cores of a package awake.</summary>
/// <param name="Cores">Cores awake, at most.</param>
/// <param name="Gigahertz">Clock.</param>
public readonly record struct TurboBin(int Cores, double Gigahertz);
