namespace Keck.VsockProtocol;

/// <summary>Limits of the guest's side.</summary>
public sealed class ChannelClientOptions
{
    /// <summary>From the attempt to connect to an open connection.</summary>
    /// <value>Above zero; 10 s.</value>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From Hello to Welcome.</summary>
    /// <value>Above zero; 10 s.</value>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Intervals without any frame after which the host counts as gone.</summary>
    /// <value>At least 2; 5.</value>
    public int SilentIntervals { get; init; } = 5;

    /// <summary>Least time without any frame after which the host counts as gone, for short intervals.</summary>
    /// <value>Above zero; 15 s.</value>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A frame that the host does not take within this time cuts the connection.</summary>
    /// <value>Above zero; 10 s.</value>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Range of the first wait after a cut.</summary>
    /// <value>Above zero; 500 ms.</value>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest wait.</summary>
    /// <value>At least <see cref="FirstWait"/>; 30 s.</value>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(30);
}
