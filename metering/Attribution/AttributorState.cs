using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Everything an <see cref="Attributor"/> carries from one tick to the next.</summary>
/// <param name="Floors">The learned floors by meter id.</param>
/// <param name="Carries">What else is carried for each selected meter, by id.</param>
/// <param name="Signatures">What has been learned of consumers; null where nothing is.</param>
public sealed record AttributorState(
    ImmutableSortedDictionary<string, StaticFloorState> Floors, ImmutableSortedDictionary<string, MeterCarry> Carries,
    SignatureState? Signatures = null);
