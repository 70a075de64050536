namespace Keck.Metering;

/// <summary>What a meter's domain draws with nothing to do.</summary>
/// <param name="Watts">The power.</param>
/// <param name="Deviation">95 % uncertainty, W.</param>
public readonly record struct StaticPower(double Watts, double Deviation);
