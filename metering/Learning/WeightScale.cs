namespace Keck.Metering;

/// <summary>How weights become energy.</summary>
/// <param name="Microjoules">Energy lately, µJ.</param>
/// <param name="Weight">What it weighed.</param>
public readonly record struct WeightScale(double Microjoules, double Weight);
