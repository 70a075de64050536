using Google.Protobuf;

namespace Keck.VsockProtocol;

/// <summary>What happened on a guest's channel.</summary>
public enum ChannelEventKind
{
    /// <summary>The host has let us in; the message is its <see cref="VsockProtocol.Welcome"/>. Another epoch than before: its counters began anew.</summary>
    Connected,

    /// <summary>A <see cref="VsockProtocol.Mark"/>: drain now.</summary>
    Mark,

    /// <summary>A <see cref="VsockProtocol.Budget"/>.</summary>
    Budget,

    /// <summary>There is no connection, or no more; <see cref="ChannelEvent.Detail"/> says why. The client goes on trying.</summary>
    Disconnected,
}

/// <summary>One event of the channel.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Message">The message that belongs to it; null for <see cref="ChannelEventKind.Disconnected"/>.</param>
/// <param name="Timestamp">The client's <see cref="TimeProvider.GetTimestamp"/> when it happened.</param>
/// <param name="Detail">Why there is no connection; else empty.</param>
public readonly record struct ChannelEvent(ChannelEventKind Kind, IMessage? Message, long Timestamp, string Detail)
{
    /// <summary>The message of <see cref="ChannelEventKind.Connected"/>.</summary>
    public Welcome Welcome => (Welcome)Message!;

    /// <summary>The message of <see cref="ChannelEventKind.Mark"/>.</summary>
    public Mark Mark => (Mark)Message!;

    /// <summary>The message of <see cref="ChannelEventKind.Budget"/>.</summary>
    public Budget Budget => (Budget)Message!;
}
