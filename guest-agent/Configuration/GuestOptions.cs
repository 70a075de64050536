using Keck.Agent;
using Keck.VsockProtocol;

namespace Keck.Guest;

/// <summary>Everything that can be set about <c>keck-guest</c>: /etc/keck/guest.json, KECK_… environment and flags, in rising order.</summary>
internal sealed record GuestOptions : AgentOptions
{
    /// <summary>The defaults.</summary>
    public GuestOptions()
    {
        Listen = "127.0.0.1:9471";
        Socket = "/run/keck/guest.sock";
        State = "/var/lib/keck/guest";
        Profile = ProfileKind.Minimal;
    }

    /// <summary>Where the host agent is.</summary>
    /// <value>Default auto: <see cref="ChannelChoice"/>.</value>
    public ChannelEndpoint Channel { get; init; } = ChannelEndpoint.Auto;

    /// <summary>Root of the powercap-like tree for other tools; null for none.</summary>
    /// <value>Default /run/keck/sys.</value>
    public string? Powercap { get; init; } = "/run/keck/sys";

    /// <summary>How many processes, containers and pods the host is told of.</summary>
    /// <value>0 to 100; default 20; 0 tells it nothing.</value>
    public int Usage { get; init; } = 20;
}
