namespace Keck.VsockProtocol;

/// <summary>What reading came to.</summary>
internal enum ReadKind
{
    /// <summary>A frame.</summary>
    Frame,

    /// <summary>The peer closed its end, or (virtio-serial) there is no peer.</summary>
    End,

    /// <summary>More was wrong with the bytes than is borne.</summary>
    Garbage,

    /// <summary>More came than the rate limits allow.</summary>
    Flood,

    /// <summary>The transport broke.</summary>
    Cut,

    /// <summary>The token was cancelled.</summary>
    Stopped,
}

/// <summary>One step of reading.</summary>
/// <param name="Kind">What it came to.</param>
/// <param name="Frame">The frame, if it is one.</param>
internal readonly record struct ReadOutcome(ReadKind Kind, Frame Frame = default);
