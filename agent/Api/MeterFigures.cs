using Keck.Metering;

namespace Keck.Agent;

/// <summary>Figures of one meter's owners.</summary>
internal static class MeterFigures
{
    /// <summary>What an owner that is no consumer has of a meter: its active energy, and static energy that it bears in proportion to it.</summary>
    internal static EnergyFigure Bearing(this MeterTotals meter, long active, long borne, BoundSample bounds)
    {
        bounds.Add(meter.BorneBounds(borne, active, bounds));
        return new EnergyFigure(active + borne, bounds, active + borne == 0 ? default : EnergySources.Of(meter.Meter));
    }

    /// <summary>
    /// Bounds of static energy borne in proportion to activity: off as much as the activity is, relative. On a meter of static energy alone
    /// nobody is active: what is off there is the meter.
    /// </summary>
    internal static BoundSample BorneBounds(this MeterTotals meter, long borne, long active, in BoundSample activeBounds) =>
        active > 0 ? activeBounds.Along(borne, active) : meter.StaticBounds(borne);
}
