using Keck.Metering;

namespace Keck.Agent;

/// <summary>A consumer's active energy, from which the bounds of its parts follow: of one meter, CPU, vCPU or role.</summary>
/// <param name="Bounds">Of all of it.</param>
/// <param name="Common">What all parts have alike of these: the meters' own doubt.</param>
/// <param name="Microjoules">All of it.</param>
internal readonly record struct Divisible(BoundSample Bounds, BoundSample Common, long Microjoules)
{
    /// <summary>Bounds of a part.</summary>
    internal BoundSample Part(long microjoules) => Bounds.Part(microjoules, Microjoules, Common);
}
