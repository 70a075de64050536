namespace Keck.VsockProtocol;

/// <summary>The host's answer to a Hello.</summary>
public readonly record struct Greeting
{
    private Greeting(Welcome? welcome, WireReason reason, string detail) => (Welcome, Reason, Detail) = (welcome, reason, detail);

    /// <summary>What is sent; null where the guest is refused.</summary>
    public Welcome? Welcome { get; }

    /// <summary>Why the guest is refused.</summary>
    public WireReason Reason { get; }

    /// <summary>The same for people; the guest sees it.</summary>
    public string Detail { get; }

    /// <summary>Lets the guest in. Version and nonce are put in by the session.</summary>
    public static Greeting Accept(Welcome welcome) => new(welcome, WireReason.Unspecified, "");

    /// <summary>Says goodbye at once.</summary>
    public static Greeting Refuse(WireReason reason, string detail) => new(null, reason, detail);
}
