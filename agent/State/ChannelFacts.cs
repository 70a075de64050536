namespace Keck.Agent;

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

    /// <summary>From a Mark on its way to the guest's word on who used that interval, ns; where it reports before the next Mark.</summary>
    public long? AttributedNanoseconds { get; init; }

    /// <summary>How long the guest's last drain took, by its own word, ns.</summary>
    public long? DrainNanoseconds { get; init; }
}
