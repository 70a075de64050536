using System.Collections.Immutable;

namespace Keck.Agent;

/// <summary>The guest's own attribution: its word, which splits the machine's energy and adds nothing to it.</summary>
/// <param name="At">When it came.</param>
/// <param name="Interval">The budget it is split from.</param>
/// <param name="Consumers">Top consumers.</param>
/// <param name="RestMicrojoules">What the listed processes leave of the guest's total, µJ; null where not told.</param>
public sealed record GuestReport(DateTimeOffset At, ulong? Interval, ImmutableArray<GuestConsumer> Consumers, long? RestMicrojoules);
