namespace Keck.Metering;

/// <summary>Σ|estimate − truth| and Σ truth.</summary>
public struct ErrorSum
{
    /// <summary>Σ|estimate − truth|, µJ.</summary>
    public double Difference;

    /// <summary>Σ truth, µJ.</summary>
    public double Truth;

    /// <summary>Their ratio; null without any truth.</summary>
    public readonly double? Ratio => Truth > 0 ? Difference / Truth : null;

    /// <summary>Adds one pair.</summary>
    public void Add(double estimate, double truth)
    {
        Difference += Math.Abs(estimate - truth);
        Truth += truth;
    }
}
