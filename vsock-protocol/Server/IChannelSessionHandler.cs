namespace Keck.VsockProtocol;

/// <summary>
/// What a session tells its owner, on the session's own thread of control, one call at a time. Messages have passed
/// <see cref="MessageRules"/>; what they say is a claim of the guest all the same. The calls should not block; what they throw
/// comes out of <see cref="ChannelSession.RunAsync"/>.
/// </summary>
public interface IChannelSessionHandler
{
    /// <summary>
    /// A guest has come, or (virtio-serial) its agent has started anew. Who it is is in <see cref="ChannelSession.Peer"/>; the Hello
    /// is only its word. The owner finds the machine, closes an older session of it, and fills the Welcome.
    /// </summary>
    Greeting Greet(ChannelSession session, Hello hello);

    /// <summary>The Welcome is on its way: from here on <see cref="ChannelSession.Post(Mark)"/> sends.</summary>
    void Established(ChannelSession session);

    /// <summary>The guest has drained for a Mark.</summary>
    void Acknowledged(ChannelSession session, Ack ack);

    /// <summary>The guest says who used its budget.</summary>
    void Used(ChannelSession session, Usage usage);
}
