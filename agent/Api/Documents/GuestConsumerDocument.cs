namespace Keck.Agent;

/// <summary>One consumer in a guest, by the guest's word; energies are of its own epoch.</summary>
internal sealed record GuestConsumerDocument
{
    public required string Kind { get; init; }

    public string? Name { get; init; }

    public int? Pid { get; init; }

    public string? Namespace { get; init; }

    public string? PodUid { get; init; }

    public string? Container { get; init; }

    public long? EnergyMicrojoules { get; init; }

    public long? Low { get; init; }

    public long? High { get; init; }

    public string? Quality { get; init; }

    public string? Origin { get; init; }
}
