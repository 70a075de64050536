namespace Keck.Power;

/// <summary>Where a counter stood when it was last read: enough to count on after a restart of the agent, in the same boot.</summary>
/// <param name="Where">The counter, such as <c>class/powercap/intel-rapl:0</c>.</param>
/// <param name="Microjoules">Its value, µJ.</param>
/// <param name="Nanoseconds">When it was read, on the machine's monotonic clock, ns.</param>
public readonly record struct CounterMark(string Where, long Microjoules, long Nanoseconds);
