using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>How a machine's active energy comes about, fitted by a commissioning run.</summary>
/// <param name="Needs">What it needs.</param>
/// <param name="Coefficients">By feature, in the order of a profile's members; not negative; µJ per unit of the feature.</param>
/// <param name="Residual">What it was off by on the run it was fitted to: root mean square, relative to the active energy.</param>
public sealed record PowerModel(PowerNeeds Needs, ImmutableArray<double> Coefficients, double Residual);
