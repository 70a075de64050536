using System.Collections.Immutable;
using Keck.Agent;
using Keck.Metering;

namespace Keck.Host;

/// <summary>How the run source is chosen.</summary>
internal enum RunSourceChoice
{
    /// <summary>eBPF where it can be had, else the fallback.</summary>
    Auto,

    /// <summary>eBPF or nothing: refuses to start without it.</summary>
    Ebpf,

    /// <summary>cgroup and schedstat accounting.</summary>
    Schedstat,
}

/// <summary>Everything that can be set about <c>keck-host</c>: /etc/keck/host.json, KECK_… environment and flags, in rising order.</summary>
internal sealed record HostOptions
{
    /// <summary>Address and port to serve on; null for none.</summary>
    /// <value>Default 127.0.0.1:9470.</value>
    public string? Listen { get; init; } = "127.0.0.1:9470";

    /// <summary>Unix socket to serve on; <c>none</c> for none.</summary>
    /// <value>Default /run/keck/host.sock.</value>
    public string? Socket { get; init; } = "/run/keck/host.sock";

    /// <summary>Directory in which <c>run</c> keeps its counters over restarts; <c>none</c> to start at zero each time.</summary>
    /// <value>Default /var/lib/keck/host.</value>
    public string? State { get; init; } = "/var/lib/keck/host";

    /// <summary>Whether guests are let in and told their energy.</summary>
    /// <value>on or none; default on.</value>
    public bool Channels { get; init; } = true;

    /// <summary>How often guests are told.</summary>
    /// <value>1 s to 1 h; default 1 s.</value>
    public TimeSpan ChannelInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The libvirt that names machines; null for none.</summary>
    /// <value>A URI, auto or none; default auto: qemu:///system where its library is, but not in the minimal profile.</value>
    public string? Libvirt { get; init; } = AutoLibvirt;

    /// <summary>Stands for the profile's choice of <see cref="Libvirt"/>.</summary>
    internal const string AutoLibvirt = "auto";

    /// <summary>PEM certificate for addresses beyond loopback.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>PEM key of the certificate.</summary>
    public string? TlsKey { get; init; }

    /// <summary>File with the bearer token that requests must bring.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Cost and detail.</summary>
    /// <value>minimal, standard or full; default standard.</value>
    public ProfileKind Profile { get; init; } = ProfileKind.Standard;

    /// <summary>Who pays static energy where a question does not say.</summary>
    /// <value>separate, proportional or allocated; default separate.</value>
    public IdlePolicy Idle { get; init; } = IdlePolicy.Separate;

    /// <summary>The most detailed model; null for the profile's.</summary>
    public ModelKind? Model { get; init; }

    /// <summary>Metric dialects to serve beside our own.</summary>
    /// <value>kepler, scaphandre; default none.</value>
    public ImmutableArray<string> Expose { get; init; } = [];

    /// <summary>How many processes get metric series.</summary>
    /// <value>top:N with N from 0 to 10,000; default top:0.</value>
    public int ExposeProcesses { get; init; }

    /// <summary>Where runs come from.</summary>
    /// <value>auto, ebpf or schedstat; default auto.</value>
    public RunSourceChoice Runs { get; init; } = RunSourceChoice.Auto;

    /// <summary>Whether a machine without a sensor is estimated.</summary>
    /// <value>true or false; default true.</value>
    public bool Estimate { get; init; } = true;

    /// <summary>Root of procfs.</summary>
    public string ProcRoot { get; init; } = "/proc";

    /// <summary>Root of sysfs.</summary>
    public string SysRoot { get; init; } = "/sys";

    /// <summary>Root under which container runtimes keep their state.</summary>
    public string RootFs { get; init; } = "/";
}
