using System.Collections.Immutable;

namespace Keck.Agent;

/// <summary>What is known of a virtual machine beside its energy. Members that nobody tells are null.</summary>
public sealed record MachineFacts
{
    /// <summary>What it is doing: <c>running</c>, <c>paused</c>, <c>stopped</c>, <c>unknown</c>.</summary>
    public string? State { get; init; }

    /// <summary>Who manages it, such as <c>libvirt</c>, <c>nova</c>, <c>kubevirt</c>.</summary>
    public string? Manager { get; init; }

    /// <summary>Project or tenant.</summary>
    public string? Project { get; init; }

    /// <summary>The project's id.</summary>
    public string? ProjectId { get; init; }

    /// <summary>The user.</summary>
    public string? User { get; init; }

    /// <summary>The user's id.</summary>
    public string? UserId { get; init; }

    /// <summary>The size class.</summary>
    public string? Flavor { get; init; }

    /// <summary>The name its owner knows it by.</summary>
    public string? DisplayName { get; init; }

    /// <summary>The owner's own tags.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>UID of the pod it runs in.</summary>
    public string? PodUid { get; init; }

    /// <summary>Whether its UUID was made by the agent.</summary>
    public bool Derived { get; init; }

    /// <summary>Time KVM spun waiting for its halted vCPUs, ns: a part of its vCPUs' time.</summary>
    public long? HaltPollNanoseconds { get; init; }

    /// <summary>The channel to the agent inside; null where the machine has none.</summary>
    public ChannelFacts? Channel { get; init; }

    /// <summary>What the agent inside says of its energy; null where it said nothing.</summary>
    public GuestReport? Guest { get; init; }
}
