namespace Keck.Metering;

/// <summary>A floor that was learned, or has moved noticeably.</summary>
/// <param name="Cause">By an idle or a busy window.</param>
/// <param name="Utilisation">Busy part of the CPU time in it, 0 to 1.</param>
/// <param name="Before">The floor as it was last told.</param>
public readonly record struct FloorChange(AdoptionCause Cause, double Utilisation, StaticFloorState Before);
