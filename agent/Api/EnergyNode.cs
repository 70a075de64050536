namespace Keck.Agent;

/// <summary>A node of the energy tree. Its children add up to it, or <see cref="SumsUp"/> is false.</summary>
public sealed record EnergyNode
{
    /// <summary>
    /// <c>host</c>, <c>meter</c>, <c>package</c> (several meters together), <c>idle</c>, <c>system</c>, <c>unattributed</c>,
    /// <c>departed</c>, <c>overhead</c>, <c>core</c>, <c>cpu</c>, <c>process</c>, <c>machine</c>, <c>vcpu</c>, <c>memory</c>, <c>static</c>,
    /// <c>processes</c>, <c>shares</c> (static energy borne by consumers).
    /// </summary>
    public required string Kind { get; init; }

    /// <summary>Unique among its siblings.</summary>
    public required string Id { get; init; }

    /// <summary>For people.</summary>
    public required string Name { get; init; }

    /// <summary>Its energy since the epoch, µJ: the ledger's own figure where there is one, else the sum of its children. Null where there is no meter.</summary>
    public required long? EnergyMicrojoules { get; init; }

    /// <summary>95 % lower bound of it, µJ.</summary>
    public long? Low { get; init; }

    /// <summary>95 % upper bound of it, µJ.</summary>
    public long? High { get; init; }

    /// <summary>Mean power over the last 10 to 20 s (cores and what is on them) or the window (the others), W; null where unknown.</summary>
    public double? PowerWatts { get; init; }

    /// <summary>95 % lower bound of it, W.</summary>
    public double? PowerLowWatts { get; init; }

    /// <summary>95 % upper bound of it, W.</summary>
    public double? PowerHighWatts { get; init; }

    /// <summary>CPU time, ns; null where it means nothing.</summary>
    public long? CpuNanoseconds { get; init; }

    /// <summary>Mean frequency while running, kHz; null where unknown.</summary>
    public long? KiloHertz { get; init; }

    /// <summary>Instructions retired; null where not counted.</summary>
    public long? Instructions { get; init; }

    /// <summary>Last-level cache misses; null where not counted.</summary>
    public long? LlcMisses { get; init; }

    /// <summary>The origins of the meters it comes from, joined by <c>+</c>; null for no energy.</summary>
    public string? Origin { get; init; }

    /// <summary>The worst quality among the meters it comes from; null for no energy.</summary>
    public string? Quality { get; init; }

    /// <summary>Whether the children add up to this node exactly, and so on down to the leaves.</summary>
    public required bool SumsUp { get; init; }

    /// <summary>The parts; null for leaves and where the depth asked for ends.</summary>
    public IReadOnlyList<EnergyNode>? Children { get; init; }

    /// <summary>A node without parts.</summary>
    internal static EnergyNode Leaf(string kind, string id, string name, in EnergyFigure figure) => Parent(kind, id, name, figure, null);

    /// <summary>The root where there is no meter: nothing is known, and nothing is zero.</summary>
    internal static EnergyNode Unmetered(string host) => new() { Kind = "host", Id = "host", Name = host, EnergyMicrojoules = null, SumsUp = true };

    /// <summary>A node of parts; says whether they add up to it.</summary>
    // A figure without rows below it (none was kept by CPU) must be zero to add up.
    internal static EnergyNode Parent(string kind, string id, string name, in EnergyFigure figure, List<EnergyNode>? children) => new()
    {
        Kind = kind,
        Id = id,
        Name = name,
        EnergyMicrojoules = figure.Microjoules,
        Low = figure.Low,
        High = figure.High,
        PowerWatts = figure.Rate?.Watts,
        PowerLowWatts = figure.LowWatts,
        PowerHighWatts = figure.HighWatts,
        Origin = figure.Microjoules == 0 ? null : figure.Sources.Origin,
        Quality = figure.Microjoules == 0 ? null : figure.Sources.Quality,
        SumsUp = Adds(figure.Microjoules, children),
        Children = children is { Count: > 0 } ? children : null,
    };

    private static bool Adds(long energy, List<EnergyNode>? children) =>
        children is null || (children.Sum(child => child.EnergyMicrojoules) == energy && children.TrueForAll(child => child.SumsUp));
}
