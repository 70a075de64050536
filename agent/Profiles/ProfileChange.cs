namespace Keck.Agent;

/// <summary>A step between profiles.</summary>
/// <param name="From">The profile left.</param>
/// <param name="To">The profile entered.</param>
/// <param name="Why">In words, with figures.</param>
/// <param name="AtNanoseconds">When, on the monotonic clock.</param>
public sealed record ProfileChange(ProfileKind From, ProfileKind To, string Why, long AtNanoseconds);
