namespace Keck.VsockProtocol;

/// <summary>What became of a message that was given to be sent.</summary>
public enum PostResult
{
    /// <summary>It waits for its turn.</summary>
    Queued,

    /// <summary>It waits, in place of an older one of its type that had not gone out yet.</summary>
    Superseded,

    /// <summary>There is nobody to send it to: it is dropped.</summary>
    NotConnected,
}
