namespace Keck.Agent;

/// <summary>An energy of late.</summary>
/// <param name="Microjoules">The energy, µJ.</param>
/// <param name="Seconds">Over how long.</param>
internal readonly record struct EnergyRate(long Microjoules, double Seconds)
{
    /// <summary>Mean power; null where no time has passed.</summary>
    internal double? Watts => ApiView.Watts(Microjoules, Seconds);

    /// <summary>Two together, over the same time.</summary>
    public static EnergyRate operator +(EnergyRate a, EnergyRate b) => new(a.Microjoules + b.Microjoules, Math.Max(a.Seconds, b.Seconds));
}
