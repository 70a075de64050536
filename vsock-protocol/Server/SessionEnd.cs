namespace Keck.VsockProtocol;

/// <summary>How a session ended.</summary>
public enum SessionEndKind
{
    /// <summary>The guest said goodbye or closed the connection.</summary>
    PeerLeft,

    /// <summary>The transport broke.</summary>
    Broken,

    /// <summary>We closed it.</summary>
    Closed,

    /// <summary>The guest broke a rule or exceeded a limit: let it wait before it may come again.</summary>
    Fault,
}

/// <summary>How a session ended, and why.</summary>
/// <param name="Kind">How.</param>
/// <param name="Reason">Why: the guest's own reason, ours, or the rule that was broken.</param>
/// <param name="Detail">The same for people. May hold text of the guest's, free of control characters.</param>
public readonly record struct SessionEnd(SessionEndKind Kind, WireReason Reason, string Detail);
