namespace Keck.VsockProtocol;

/// <summary>What a side of the channel has counted since its start.</summary>
/// <param name="Connections">Connections that got through the handshake.</param>
/// <param name="FramesRead">Good frames.</param>
/// <param name="FramesWritten">Frames handed to the transport.</param>
/// <param name="Superseded">Messages that a newer one of their type took the place of before they went out.</param>
/// <param name="SkippedBytes">Bytes that were no frame.</param>
/// <param name="Faults">Times that a good stream turned bad.</param>
/// <param name="UnknownFrames">Frames of a newer type or version, skipped.</param>
public readonly record struct ChannelCounts(
    long Connections, long FramesRead, long FramesWritten, long Superseded, long SkippedBytes, long Faults, long UnknownFrames);
