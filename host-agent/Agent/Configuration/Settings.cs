using System.Globalization;
using Keck.Agent;

namespace Keck.Host;

/// <summary>What can be set about <c>keck-host</c>.</summary>
internal static class Settings
{
    /// <summary>The table.</summary>
    internal static readonly SettingTable Table = new(
        "keck-host",
        "/etc/keck/host.json",
        new HostOptions(),
        [
            .. SettingTable.Serving(new HostOptions(), [.. SettingTable.Models, "calibrated"]),
            new("channel", "on|none", "whether guest agents are let in (AF_VSOCK port 19269 and the machines' own sockets) and told their energy (default on)",
                static (ref AgentOptions o, string t) => SettingTable.Choice(ref o, t, ["none", "on"], static (o, i) => (HostOptions)o with { Channels = i == 1 })),
            new("channelInterval", "SECONDS", "how often guests are told their energy, from 1 to 3600 s (default 1)",
                static (ref AgentOptions o, string t) =>
                {
                    if (!int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) || seconds is < 1 or > 3600)
                    {
                        return $"'{t}' is no whole number from 1 to 3600";
                    }

                    o = (HostOptions)o with { ChannelInterval = TimeSpan.FromSeconds(seconds) };
                    return null;
                }),
            new("calibration", "PROFILE.json", "machine profile that keck-host calibrate wrote, or none (default none); one of another machine is refused, and said",
                static (ref AgentOptions o, string t) => { o = (HostOptions)o with { Calibration = t == "none" ? null : t }; return null; }),
            new("libvirt", "URI", "the libvirt that names machines and tells of their lives, auto or none (default auto: qemu:///system where libvirt runs, but not in the minimal profile)",
                static (ref AgentOptions o, string t) => { o = (HostOptions)o with { Libvirt = t == "none" ? null : t }; return null; }),
            new("budget", "FILE", $"in a virtual machine: the budget that keck-guest in it hands on (the meter of this agent, where there is no RAPL), auto or none (default auto: {HostOptions.DefaultBudget})",
                static (ref AgentOptions o, string t) => { o = (HostOptions)o with { Budget = t == "none" ? null : t }; return null; }),
            .. SettingTable.Sources,
        ])
    {
        Check = static options => options is HostOptions { Model: Metering.ModelKind.Calibrated, Calibration: null }
            ? "model calibrated needs a machine profile: make one with keck-host calibrate --out PROFILE.json and give it with --calibration PROFILE.json"
            : null,
    };
}
