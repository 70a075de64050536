namespace Keck.Agent;

/// <summary>Namespaces, hungriest first.</summary>
internal sealed record NamespaceList
{
    public required Guid Epoch { get; init; }

    public DateTime? EpochStartedAt { get; init; }

    public required DateTime At { get; init; }

    public required string IdlePolicy { get; init; }

    public required NamespaceDocument[] Items { get; init; }
}
