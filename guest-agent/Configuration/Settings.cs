using System.Globalization;
using Keck.Agent;
using Keck.VsockProtocol;

namespace Keck.Guest;

/// <summary>What can be set about <c>keck-guest</c>.</summary>
internal static class Settings
{
    private const int MostUsage = 100;

    /// <summary>The table.</summary>
    internal static readonly SettingTable Table = new(
        "keck-guest",
        "/etc/keck/guest.json",
        new GuestOptions(),
        [
            new("channel", "ENDPOINT", $"where the host agent is: auto, vsock:CID:PORT, unix:/PATH, virtio-serial:/dev/virtio-ports/NAME, or none (default auto: {ChannelEndpoint.Default} where there is /dev/vsock, else the port {ChannelProtocol.SerialPortName}, else none)",
                static (ref AgentOptions o, string t) =>
                {
                    if (!ChannelEndpoint.TryParse(t, out ChannelEndpoint endpoint, out string error))
                    {
                        return error;
                    }

                    o = (GuestOptions)o with { Channel = endpoint };
                    return null;
                }),
            new("powercap", "DIR", "root of a powercap-like tree for tools that read RAPL, and of what keck-host beside it reads, or none (default /run/keck/sys: give them --path.sysfs /run/keck/sys)",
                static (ref AgentOptions o, string t) => { o = (GuestOptions)o with { Powercap = t == "none" ? null : t }; return null; }),
            new("usage", "N", "how many processes, containers and pods the host is told of, from 0 to 100 (default 20)",
                static (ref AgentOptions o, string t) =>
                {
                    if (!int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count > MostUsage)
                    {
                        return $"'{t}' is no whole number from 0 to {MostUsage}";
                    }

                    o = (GuestOptions)o with { Usage = count };
                    return null;
                }),
            .. SettingTable.Serving(new GuestOptions(), SettingTable.Models),
            .. SettingTable.Sources,
        ]);
}
