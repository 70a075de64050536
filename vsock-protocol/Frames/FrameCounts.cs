namespace Keck.VsockProtocol;

/// <summary>What a decoder has met so far.</summary>
/// <param name="Frames">Good frames, those of an unknown type or version not counted.</param>
/// <param name="SkippedBytes">Bytes that belonged to no good frame.</param>
/// <param name="BadChecksums">Headers whose checksum was wrong.</param>
/// <param name="Oversize">Headers with a length above <see cref="ChannelProtocol.MaxBody"/>.</param>
/// <param name="BadBodies">Frames with a right checksum whose body is not the message that the type says.</param>
/// <param name="UnknownTypes">Frames of a type that this version does not know: skipped, no fault.</param>
/// <param name="UnknownVersions">Frames of a version that this library does not speak: skipped, no fault.</param>
/// <param name="Faults">Times that a good stream turned bad: garbage begun, bad checksum, oversize or bad body.</param>
public readonly record struct FrameCounts(
    long Frames, long SkippedBytes, long BadChecksums, long Oversize, long BadBodies, long UnknownTypes, long UnknownVersions, long Faults);
