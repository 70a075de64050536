namespace Keck.VsockProtocol;

/// <summary>A transport cannot do what was asked; the message says what, where, and what to do about it.</summary>
public sealed class ChannelException : IOException
{
    /// <summary>With a message for people.</summary>
    public ChannelException(string message)
        : base(message)
    {
    }

    /// <summary>With a message for people and what lies under it.</summary>
    public ChannelException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
