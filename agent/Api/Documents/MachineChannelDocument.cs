namespace Keck.Agent;

/// <summary>The channel to a machine's guest agent.</summary>
internal sealed record MachineChannelDocument
{
    public required bool Connected { get; init; }

    public string? Peer { get; init; }

    public DateTime? Since { get; init; }

    /// <summary>By the guest's word.</summary>
    public string? AgentVersion { get; init; }

    public required long Connections { get; init; }

    public required long Frames { get; init; }

    public required long Rejected { get; init; }

    public string? LastRejection { get; init; }

    /// <summary>From the last Mark to its Ack.</summary>
    public double? AckSeconds { get; init; }

    /// <summary>From a Mark to the guest's word on who used that interval.</summary>
    public double? AttributedSeconds { get; init; }

    /// <summary>How long the guest's last drain took, by its own word.</summary>
    public double? DrainSeconds { get; init; }
}
