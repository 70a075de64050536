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

/// <summary>How the channel to a machine's guest agent stands.</summary>
public sealed record ChannelFacts
{
    /// <summary>Whether the guest's agent is connected and welcomed.</summary>
    public bool Connected { get; init; }

    /// <summary>By what it is reached, such as <c>vsock:42:1017</c>.</summary>
    public string? Peer { get; init; }

    /// <summary>When it connected.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The guest agent's version; its own word.</summary>
    public string? AgentVersion { get; init; }

    /// <summary>Connections that got through the handshake.</summary>
    public long Connections { get; init; }

    /// <summary>Good frames in both directions.</summary>
    public long Frames { get; init; }

    /// <summary>Connections refused, or ended for a fault of the guest.</summary>
    public long Rejected { get; init; }

    /// <summary>Why the last one was.</summary>
    public string? LastRejection { get; init; }

    /// <summary>From the last Mark on its way to its Ack, ns.</summary>
    public long? AckNanoseconds { get; init; }

    /// <summary>How long the guest's last drain took, by its own word, ns.</summary>
    public long? DrainNanoseconds { get; init; }
}

/// <summary>The guest's own attribution: its word, which splits the machine's energy and adds nothing to it.</summary>
/// <param name="At">When it came.</param>
/// <param name="Interval">The budget it is split from.</param>
/// <param name="Consumers">Top consumers.</param>
/// <param name="RestMicrojoules">What the listed processes leave of the guest's total, µJ; null where not told.</param>
public sealed record GuestReport(DateTimeOffset At, ulong? Interval, ImmutableArray<GuestConsumer> Consumers, long? RestMicrojoules);

/// <summary>One consumer inside a guest, by the guest's word. Energies are cumulative in the guest's epoch, µJ.</summary>
/// <param name="Kind"><c>process</c>, <c>container</c> or <c>pod</c>.</param>
/// <param name="Pid">Process id in the guest.</param>
/// <param name="Name">Comm, or the name of a container or pod.</param>
/// <param name="Namespace">Kubernetes namespace.</param>
/// <param name="PodUid">Pod UID.</param>
/// <param name="ContainerId">Container id.</param>
/// <param name="EnergyMicrojoules">Its energy.</param>
/// <param name="LowMicrojoules">Lower end of its 95 % interval.</param>
/// <param name="HighMicrojoules">Upper end.</param>
/// <param name="Quality">Whether it was counted, as the guest says.</param>
/// <param name="Origin">Where it comes from, as the guest says.</param>
public sealed record GuestConsumer(
    string Kind, int? Pid, string? Name, string? Namespace, string? PodUid, string? ContainerId,
    long? EnergyMicrojoules, long? LowMicrojoules, long? HighMicrojoules, string? Quality, string? Origin);
