using Keck.Agent;

namespace Keck.Host;

/// <summary>Everything that can be set about <c>keck-host</c>: /etc/keck/host.json, KECK_… environment and flags, in rising order.</summary>
internal sealed record HostOptions : AgentOptions
{
    /// <summary>Stands for the profile's choice of <see cref="Libvirt"/>.</summary>
    internal const string AutoLibvirt = "auto";

    /// <summary>The defaults.</summary>
    public HostOptions()
    {
        Listen = "127.0.0.1:9470";
        Socket = "/run/keck/host.sock";
        State = "/var/lib/keck/host";
    }

    /// <summary>Whether guests are let in and told their energy.</summary>
    /// <value>on or none; default on.</value>
    public bool Channels { get; init; } = true;

    /// <summary>How often guests are told.</summary>
    /// <value>1 s to 1 h; default 1 s.</value>
    public TimeSpan ChannelInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The machine profile that <c>keck-host calibrate</c> wrote; null for none.</summary>
    public string? Calibration { get; init; }

    /// <summary>The libvirt that names machines; null for none.</summary>
    /// <value>A URI, auto or none; default auto: qemu:///system where its library is, but not in the minimal profile.</value>
    public string? Libvirt { get; init; } = AutoLibvirt;
}
