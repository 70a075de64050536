using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>One consumer's cumulative figures since the ledger's epoch.</summary>
public sealed record ConsumerTotals
{
    /// <summary>What it is.</summary>
    public required ConsumerKind Kind { get; init; }

    /// <summary>Unique within its kind: <c>pid/start</c> for processes, the path for cgroups, the id for containers, the UID for pods.</summary>
    public required string Id { get; init; }

    /// <summary>Name for people: comm, path, container id or pod UID until a better one is known.</summary>
    public required string Name { get; init; }

    /// <summary>Process id; 0 for other kinds.</summary>
    public int Pid { get; init; }

    /// <summary>Start since boot, ns; 0 for other kinds than processes.</summary>
    public long StartNanoseconds { get; init; }

    /// <summary>The cgroup it is in; null where unknown.</summary>
    public string? Cgroup { get; init; }

    /// <summary>The container it is in; null outside containers.</summary>
    public string? Container { get; init; }

    /// <summary>The pod it is in; null outside pods.</summary>
    public string? PodUid { get; init; }

    /// <summary>UUID of the machine it belongs to; null outside machines.</summary>
    public string? Machine { get; init; }

    /// <summary>Whether it has ended; it stays until every outlet has seen it.</summary>
    public bool Ended { get; init; }

    /// <summary>Active energy by meter, in the order of <see cref="LedgerSnapshot.Meters"/>, µJ.</summary>
    public required ImmutableArray<long> Active { get; init; }

    /// <summary>Its part of the static energy under <see cref="IdlePolicy.Proportional"/>, by meter, µJ.</summary>
    public required ImmutableArray<long> Proportional { get; init; }

    /// <summary>For machines, the part of the static energy under <see cref="IdlePolicy.Allocated"/>, by meter, µJ; zero for other kinds.</summary>
    public ImmutableArray<long> Allocated { get; init; } = [];

    /// <summary>95 % bounds of Σ <see cref="Active"/>, as parts to be added up over consumers or subtracted over time.</summary>
    public required BoundSample Bounds { get; init; }

    /// <summary>CPU time, ns.</summary>
    public long CpuNanoseconds { get; init; }

    /// <summary>Instructions retired; null where never counted.</summary>
    public long? Instructions { get; init; }

    /// <summary>Last-level cache misses; null where never counted.</summary>
    public long? LlcMisses { get; init; }

    /// <summary>Resident memory (PSS) at the last look, KiB; null where unknown.</summary>
    public long? PssKibibytes { get; init; }

    /// <summary>Σ <see cref="Active"/>, µJ.</summary>
    public long TotalActive => Active.Sum();

    /// <summary>Its part of one meter's static energy under a policy, µJ.</summary>
    public long Static(IdlePolicy policy, int meter) => policy switch
    {
        IdlePolicy.Proportional => Proportional[meter],
        IdlePolicy.Allocated => meter < Allocated.Length ? Allocated[meter] : 0,
        _ => 0,
    };

    /// <summary>Σ <see cref="Static"/> over all meters, µJ.</summary>
    public long TotalStatic(IdlePolicy policy) => policy switch
    {
        IdlePolicy.Proportional => Proportional.Sum(),
        IdlePolicy.Allocated => Allocated.Sum(),
        _ => 0,
    };

    /// <summary>Σ <see cref="Proportional"/>, µJ.</summary>
    public long TotalProportional => Proportional.Sum();
}
