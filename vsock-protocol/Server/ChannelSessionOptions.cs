namespace Keck.VsockProtocol;

/// <summary>Limits of the host's side. A guest that exceeds one loses its connection, and nobody else anything.</summary>
public sealed class ChannelSessionOptions
{
    /// <summary>From the connection to a whole Hello. A virtio-serial port has no connections: there it does not count.</summary>
    /// <value>Above zero; 5 s.</value>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time without any frame after which the guest counts as gone. It acknowledges every Mark.</summary>
    /// <value>Several intervals; 60 s.</value>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A frame that the guest does not take within this time: it is a slow reader.</summary>
    /// <value>Above zero; 10 s.</value>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes a second from the guest, on average.</summary>
    /// <value>At least 4,096; 65,536.</value>
    public int BytesPerSecond { get; init; } = 65_536;

    /// <summary>Bytes at once.</summary>
    /// <value>At least two of the largest frames, 131,096; 262,144.</value>
    public int BytesBurst { get; init; } = 262_144;

    /// <summary>Frames a second from the guest, on average.</summary>
    /// <value>At least 2; 10.</value>
    public int FramesPerSecond { get; init; } = 10;

    /// <summary>Frames at once.</summary>
    /// <value>At least 4; 64.</value>
    public int FramesBurst { get; init; } = 64;

    /// <summary>Whether a source port that any process of the guest can take is refused, where the transport shows it.</summary>
    /// <value>True.</value>
    public bool RequirePrivilegedPort { get; init; } = true;
}
