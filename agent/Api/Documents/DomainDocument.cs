namespace Keck.Agent;

/// <summary>A selected meter with its split: active + static = energy, and processes + idle + system + unattributed + ended = energy.</summary>
internal sealed record DomainDocument : FigureDocument
{
    public required string Meter { get; init; }

    public required string Domain { get; init; }

    public int? Package { get; init; }

    public long ActiveMicrojoules { get; init; }

    public long StaticMicrojoules { get; init; }

    public double? StaticWatts { get; init; }

    /// <summary>What the static part goes by: <c>source</c>, <c>idle</c>, <c>profile</c>, <c>busy</c> or <c>prior</c>; absent before its first reading.</summary>
    public string? StaticBasis { get; init; }

    /// <summary>How far apart its energy and the runs of a tick were read: the largest of the last ten seconds and more; it is in the bounds.</summary>
    public double? ReadSkewSeconds { get; init; }

    public long ProcessesMicrojoules { get; init; }

    public long IdleMicrojoules { get; init; }

    public long SystemMicrojoules { get; init; }

    public long UnattributedMicrojoules { get; init; }

    /// <summary>Processes that ended and are no longer told apart.</summary>
    public long EndedMicrojoules { get; init; }

    /// <summary>In a guest, what the hypervisor spent on it outside its vCPUs, µJ.</summary>
    public long? OverheadMicrojoules { get; init; }

    /// <summary>Static energy allocated to machines, those that are gone included, µJ; under <c>idle=allocated</c> only.</summary>
    public long? AllocatedMicrojoules { get; init; }

    /// <summary>95 % bounds of the parts, by their member's name without <c>Microjoules</c>; absent where the machine has no meter.</summary>
    public IReadOnlyDictionary<string, BoundsDocument>? Bounds { get; init; }
}
