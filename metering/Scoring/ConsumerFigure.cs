namespace Keck.Metering;

/// <summary>One consumer's active energy in one tick, as a replay estimates it or as the truth has it.</summary>
public struct ConsumerFigure
{
    /// <summary><c>machine</c>, <c>process</c>, <c>system</c>, <c>idle</c>, <c>unattributed</c>, <c>overhead</c>.</summary>
    public string Kind;

    /// <summary>Unique within its kind.</summary>
    public string Id;

    /// <summary>Packages, µJ.</summary>
    public double Package;

    /// <summary>Memory, µJ.</summary>
    public double Dram;

    /// <summary>Other domains together, µJ.</summary>
    public double Other;

    /// <summary>Lower 95 % bound over all domains, µJ; NaN where none is given.</summary>
    public double Low;

    /// <summary>Upper bound.</summary>
    public double High;

    /// <summary>Over all domains, µJ.</summary>
    public readonly double Total => Package + Dram + Other;

    /// <summary>Adds energy of a domain.</summary>
    public void Add(EnergyDomain domain, double microjoules)
    {
        switch (domain)
        {
            case EnergyDomain.Package:
                Package += microjoules;
                break;
            case EnergyDomain.Dram:
                Dram += microjoules;
                break;
            default:
                Other += microjoules;
                break;
        }
    }
}
