namespace Keck.Agent;

/// <summary>One consumer.</summary>
internal sealed record ConsumerDocument : FigureDocument
{
    public required string Kind { get; init; }

    /// <summary>A process's id is its pid; other kinds' is the ledger's.</summary>
    public required string Id { get; init; }

    /// <summary>The key of its series in history, such as <c>process/700/1200000000</c>.</summary>
    public required string Key { get; init; }

    public required string Name { get; init; }

    /// <summary>Its Kubernetes namespace.</summary>
    public string? Namespace { get; init; }

    public int? Pid { get; init; }

    public DateTime? StartedAt { get; init; }

    public string? Cgroup { get; init; }

    public string? Container { get; init; }

    public string? ContainerName { get; init; }

    public string? Runtime { get; init; }

    public string? PodUid { get; init; }

    public string? Pod { get; init; }

    /// <summary>UUID of the machine that a process belongs to.</summary>
    public string? MachineUuid { get; init; }

    public bool Ended { get; init; }

    /// <summary>Its own part of the energy, µJ.</summary>
    public long? ActiveMicrojoules { get; init; }

    /// <summary>Its part of the static energy, µJ; under <c>idle=proportional</c>, and of machines under <c>idle=allocated</c>.</summary>
    public long? IdleMicrojoules { get; init; }

    /// <summary>Energy by meter id, µJ; adds up to the whole. Without a meter of memory for a process whose memory is not known.</summary>
    public required IReadOnlyDictionary<string, long> Meters { get; init; }

    /// <summary>95 % bounds of the parts, by their member's name without <c>Microjoules</c>, and by meter id; absent where the machine has no meter.</summary>
    public IReadOnlyDictionary<string, BoundsDocument>? Bounds { get; init; }

    public double CpuSeconds { get; init; }

    public long? Instructions { get; init; }

    public long? LlcMisses { get; init; }

    public long? PssKibibytes { get; init; }

    /// <summary>Where it ran; single processes only.</summary>
    public CoreDocument[]? Cores { get; init; }

    /// <summary>The containers of a single pod.</summary>
    public ConsumerDocument[]? Containers { get; init; }

    /// <summary>What makes it a machine; of machines only.</summary>
    public MachineDocument? Machine { get; init; }
}
