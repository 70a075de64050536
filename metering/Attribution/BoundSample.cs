namespace Keck.Metering;

/// <summary>
/// 95 % bounds of an amount of energy. Systematic parts (model, static floor, the source's own worth) add linearly over ticks
/// and consumers; random parts (quantisation, read jitter) add in quadrature.
/// </summary>
public struct BoundSample
{
    /// <summary>How far below the figure the truth may lie for systematic reasons, µJ.</summary>
    public double SystematicBelow;

    /// <summary>How far above, µJ.</summary>
    public double SystematicAbove;

    /// <summary>Square of the random 95 % half-width, µJ².</summary>
    public double RandomSquare;

    /// <summary>Adds what one more tick or consumer brings.</summary>
    public void Add(in BoundSample other)
    {
        SystematicBelow += other.SystematicBelow;
        SystematicAbove += other.SystematicAbove;
        RandomSquare += other.RandomSquare;
    }

    /// <summary>The lower bound of a figure; never below zero, µJ.</summary>
    public readonly long Low(long microjoules) =>
        Math.Max(0, (long)Math.Floor(microjoules - SystematicBelow - Math.Sqrt(RandomSquare)));

    /// <summary>The upper bound of a figure, µJ.</summary>
    public readonly long High(long microjoules) =>
        (long)Math.Ceiling(microjoules + SystematicAbove + Math.Sqrt(RandomSquare));
}
