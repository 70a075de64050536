using System.Collections.Immutable;

namespace Keck.Virt;

/// <summary>Whose machine it is, as the management layer wrote it into the domain's metadata. Members that it did not tell are null.</summary>
public sealed record MachineOwner
{
    /// <summary>Project or tenant by name: Nova's project, KubeVirt's namespace.</summary>
    public string? Project { get; init; }

    /// <summary>Project by id: what bills are keyed by.</summary>
    public string? ProjectId { get; init; }

    /// <summary>User by name.</summary>
    public string? User { get; init; }

    /// <summary>User by id.</summary>
    public string? UserId { get; init; }

    /// <summary>Size class by name, such as <c>m1.small</c>.</summary>
    public string? Flavor { get; init; }

    /// <summary>The machine's name as its owner knows it, where the hypervisor knows it by another one (Nova: <c>instance-0000abcd</c>).</summary>
    public string? DisplayName { get; init; }

    /// <summary>Tags of our own element <c>https://keck.io/ns/1</c>, by name; 32 at most.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
