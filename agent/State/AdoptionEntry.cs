using Keck.Metering;

namespace Keck.Agent;

/// <summary>Something that was taken as known of a meter, as it is kept, shown and taken back.</summary>
/// <param name="Id">Its number, counted from 1 in this state directory.</param>
/// <param name="At">When, by the wall clock.</param>
/// <param name="Meter">The meter's id.</param>
/// <param name="Cause">What it went by.</param>
/// <param name="Why">The same in words, such as <c>idle window, CPUs 1.2 % busy</c>.</param>
/// <param name="Before">The floor before.</param>
/// <param name="After">The floor from then on.</param>
/// <param name="Undone">Whether it has been taken back.</param>
public sealed record AdoptionEntry(
    long Id, DateTimeOffset At, string Meter, AdoptionCause Cause, string Why, StaticFloorState Before, StaticFloorState After, bool Undone = false);
