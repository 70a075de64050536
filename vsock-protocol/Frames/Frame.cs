using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>A frame that was read: whole, its checksum right, its body parsed.</summary>
/// <param name="Type">What it is.</param>
/// <param name="Message">The class that belongs to <paramref name="Type"/>.</param>
public readonly record struct Frame(FrameType Type, IMessage Message);
