namespace Keck.Metering;

/// <summary>A meter's static floor, to be shown.</summary>
/// <param name="Meter">The meter's id.</param>
/// <param name="Basis">What it goes by.</param>
/// <param name="Watts">The floor; null where there is none but the prior's.</param>
/// <param name="Uncertainty">Its 95 % uncertainty, relative.</param>
public sealed record FloorFigure(string Meter, FloorBasis Basis, double? Watts, double Uncertainty)
{
    /// <summary>Shows a floor.</summary>
    public static FloorFigure Of(string meter, StaticFloor floor)
    {
        ArgumentNullException.ThrowIfNull(floor);
        return new FloorFigure(meter, floor.Basis, floor.KnownWatts ?? floor.Watts, floor.Uncertainty);
    }
}
