using Keck.Metering;

namespace Keck.Agent;

/// <summary>Energy of a consumer or meter between two records of the ring store.</summary>
/// <param name="Active">Its own energy, µJ; all of it for meters.</param>
/// <param name="Proportional">Its part of the static energy under <see cref="IdlePolicy.Proportional"/>, µJ.</param>
/// <param name="Allocated">Its part under <see cref="IdlePolicy.Allocated"/>, µJ.</param>
/// <param name="Seconds">How far the two records are apart: the window asked for to within half a row (0.5 s, 5 s, 30 s), or as much as there is.</param>
/// <param name="Bounds">95 % bounds of <paramref name="Active"/>; null where they are not kept (windows beyond a minute, meters).</param>
public readonly record struct WindowEnergy(long Active, long Proportional, long Allocated, double Seconds, BoundSample? Bounds)
{
    /// <summary>Its part of the static energy under a policy, µJ.</summary>
    public long Static(IdlePolicy policy) => policy switch
    {
        IdlePolicy.Proportional => Proportional,
        IdlePolicy.Allocated => Allocated,
        _ => 0,
    };
}
