namespace Keck.VsockProtocol;

/// <summary>The fourth byte of a frame: which message its body is.</summary>
public enum FrameType : byte
{
    /// <summary>No frame.</summary>
    None = 0,

    /// <summary><see cref="VsockProtocol.Hello"/>, guest to host.</summary>
    Hello = 1,

    /// <summary><see cref="VsockProtocol.Welcome"/>, host to guest.</summary>
    Welcome = 2,

    /// <summary><see cref="VsockProtocol.Mark"/>, host to guest.</summary>
    Mark = 3,

    /// <summary><see cref="VsockProtocol.Budget"/>, host to guest.</summary>
    Budget = 4,

    /// <summary><see cref="VsockProtocol.Ack"/>, guest to host.</summary>
    Ack = 5,

    /// <summary><see cref="VsockProtocol.Usage"/>, guest to host.</summary>
    Usage = 6,

    /// <summary><see cref="VsockProtocol.Goodbye"/>, either way.</summary>
    Goodbye = 7,
}
