namespace Keck.Agent;

/// <summary>95 % bounds of one of the energies beside it, µJ.</summary>
internal sealed record BoundsDocument(long Low, long High);
