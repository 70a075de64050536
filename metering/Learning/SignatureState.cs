using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Everything that has been learned of consumers, as a trace's header carries it.</summary>
/// <param name="Slots">Who has a factor of its own; the first two are the kernel and the rest.</param>
/// <param name="Domains">The factors on meters that follow runs, and on memory's.</param>
public sealed record SignatureState(ImmutableArray<SignatureSlotState> Slots, ImmutableArray<SignatureDomainState> Domains);
