using Keck.Agent;
using Keck.Power;

namespace Keck.Host;

/// <summary>Everything that can be set about <c>keck-host</c>: /etc/keck/host.json, KECK_… environment and flags, in rising order.</summary>
internal sealed record HostOptions : AgentOptions
{
    /// <summary>Stands for the profile's choice of <see cref="Libvirt"/>.</summary>
    internal const string AutoLibvirt = "auto";

    /// <summary>Stands for the usual place of <see cref="Budget"/>.</summary>
    internal const string AutoBudget = "auto";

    /// <summary>Where <c>keck-guest</c> hands on its budget by default.</summary>
    internal const string DefaultBudget = "/run/keck/sys/" + HandedBudget.PathInTree;

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

    /// <summary>Where a guest agent of this machine hands on its host's budget: in a virtual machine that is the best meter. Null for none.</summary>
    /// <value>A file, auto or none; default auto: <see cref="DefaultBudget"/>, unless another machine's trees are looked at.</value>
    public string? Budget { get; init; } = AutoBudget;

    /// <summary>What the energy sources are found with.</summary>
    internal PowerOptions Power => new()
    {
        SysRoot = SysRoot,
        ProcRoot = ProcRoot,
        Estimate = Estimate,
        Budget = Budget != AutoBudget ? Budget : OwnTrees ? DefaultBudget : null,
    };
}
