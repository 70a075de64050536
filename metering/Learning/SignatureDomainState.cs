using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>What has been learned on one kind of meter.</summary>
/// <param name="PriorDeviation">Standard deviation of a factor of which nothing is known.</param>
/// <param name="Scales">By model: energy, and the weights that it came from.</param>
/// <param name="Meters">By meter, the first few: how late it is.</param>
/// <param name="Factors">By slot.</param>
/// <param name="Covariance">Of the factors, row by row, each up to its own slot: the other half is the same.</param>
public sealed record SignatureDomainState(
    double PriorDeviation, ImmutableArray<WeightScale> Scales, ImmutableArray<LatenessState> Meters, ImmutableArray<double> Factors, ImmutableArray<double> Covariance);
