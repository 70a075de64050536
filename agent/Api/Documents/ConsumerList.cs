namespace Keck.Agent;

/// <summary>Consumers of a kind, hungriest first.</summary>
internal sealed record ConsumerList
{
    public required Guid Epoch { get; init; }

    public DateTime? EpochStartedAt { get; init; }

    public required DateTime At { get; init; }

    public required string IdlePolicy { get; init; }

    public required string Model { get; init; }

    /// <summary>How many there are, before <c>top</c>.</summary>
    public required int Count { get; init; }

    public required ConsumerDocument[] Items { get; init; }
}
