namespace Keck.Power;

/// <summary>Watts a hardware thread of a generation's servers: percentiles 2.5, 50 and 97.5.</summary>
internal readonly record struct WattRange(double Low, double Median, double High)
{
    /// <summary>From the lowest to the highest of both.</summary>
    internal WattRange Union(WattRange other) => this with { Low = Math.Min(Low, other.Low), High = Math.Max(High, other.High) };
}
