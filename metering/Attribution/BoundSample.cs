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

    /// <summary>
    /// Bounds of one part of what these bound (one CPU's, one vCPU's). What is wrong with all parts alike, the meter, is in proportion; of the
    /// rest the parts are taken to be wrong independently of each other: half-widths shrink by the root of the share, so that the parts' add up
    /// in quadrature to the whole's.
    /// </summary>
    /// <param name="microjoules">The part's energy.</param>
    /// <param name="whole">The whole's; a part of nothing has all of its doubt.</param>
    /// <param name="common">What of these bounds all parts have alike.</param>
    public readonly BoundSample Part(long microjoules, long whole, BoundSample common = default)
    {
        double share = whole > 0 ? Math.Clamp((double)microjoules / whole, 0, 1) : 1;
        double root = Math.Sqrt(share);
        double below = Math.Min(common.SystematicBelow, SystematicBelow), above = Math.Min(common.SystematicAbove, SystematicAbove);
        return new BoundSample
        {
            SystematicBelow = (below * share) + ((SystematicBelow - below) * root),
            SystematicAbove = (above * share) + ((SystematicAbove - above) * root),
            RandomSquare = RandomSquare * share,
        };
    }

    /// <summary>Bounds of an amount that is a known multiple of what these bound, such as what is shared out in proportion to it.</summary>
    /// <param name="microjoules">The amount.</param>
    /// <param name="bounded">What these bound; without any, nothing was shared out.</param>
    public readonly BoundSample Along(long microjoules, long bounded)
    {
        double factor = bounded > 0 ? (double)microjoules / bounded : 0;
        return new BoundSample { SystematicBelow = SystematicBelow * factor, SystematicAbove = SystematicAbove * factor, RandomSquare = RandomSquare * factor * factor };
    }

    /// <summary>Bounds of what accrued in a part of the time, where only those of the whole are kept: random errors of ticks are independent.</summary>
    /// <param name="share">The energy in that part of the time, as a part of the whole.</param>
    public readonly BoundSample InTime(double share)
    {
        double part = Math.Max(0, share);
        return new BoundSample { SystematicBelow = SystematicBelow * part, SystematicAbove = SystematicAbove * part, RandomSquare = RandomSquare * part };
    }

    /// <summary>The lower bound of a figure; never below zero, µJ.</summary>
    public readonly long Low(long microjoules) =>
        Math.Max(0, (long)Math.Floor(microjoules - SystematicBelow - Math.Sqrt(RandomSquare)));

    /// <summary>The upper bound of a figure, µJ.</summary>
    public readonly long High(long microjoules) =>
        (long)Math.Ceiling(microjoules + SystematicAbove + Math.Sqrt(RandomSquare));
}
