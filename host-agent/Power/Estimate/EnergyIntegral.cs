namespace Keck.Power;

/// <summary>Adds power over time in whole µJ; what is left of a µJ stays for the next addition, so that nothing is lost.</summary>
internal struct EnergyIntegral
{
    /// <summary>1 µJ = 10^9 µW·ns.</summary>
    private const long PerMicrojoule = 1_000_000_000;

    private long _rest;

    /// <summary>Adds an energy.</summary>
    /// <param name="microwattNanoseconds">µW × ns; not negative.</param>
    /// <returns>The whole µJ that have come together.</returns>
    internal long Add(Int128 microwattNanoseconds)
    {
        (Int128 whole, Int128 rest) = Int128.DivRem(microwattNanoseconds + _rest, PerMicrojoule);
        _rest = (long)rest;
        return (long)whole;
    }
}
