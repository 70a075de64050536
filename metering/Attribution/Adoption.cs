namespace Keck.Metering;

/// <summary>Something that the attribution takes as known from this tick on. It tells of what was learned and changes nothing in it.</summary>
/// <param name="Meter">The meter's id.</param>
/// <param name="Cause">What it went by.</param>
/// <param name="Nanoseconds">End of the tick, monotonic, ns.</param>
/// <param name="Utilisation">Busy part of the CPU time in the window that showed it, 0 to 1.</param>
/// <param name="Before">The floor as it was last told, to go back to.</param>
/// <param name="After">The floor now.</param>
public readonly record struct Adoption(
    string Meter, AdoptionCause Cause, long Nanoseconds, double Utilisation, StaticFloorState Before, StaticFloorState After);
