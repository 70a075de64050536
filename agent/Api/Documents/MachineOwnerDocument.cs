namespace Keck.Agent;

/// <summary>Whose a machine is, as its manager says.</summary>
internal sealed record MachineOwnerDocument
{
    public string? DisplayName { get; init; }

    public string? Project { get; init; }

    public string? ProjectId { get; init; }

    public string? User { get; init; }

    public string? UserId { get; init; }

    public string? Flavor { get; init; }

    public IReadOnlyDictionary<string, string>? Tags { get; init; }
}
