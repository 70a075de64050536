using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>What can be set about either agent: a file, KECK_… environment and flags, in rising order.</summary>
public abstract record AgentOptions
{
    /// <summary>Address and port to serve on; null for none.</summary>
    public string? Listen { get; init; }

    /// <summary>Unix socket to serve on; null for none.</summary>
    public string? Socket { get; init; }

    /// <summary>Directory in which <c>run</c> keeps its counters over restarts; null to start at zero each time.</summary>
    public string? State { get; init; }

    /// <summary>PEM certificate for addresses beyond loopback.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>PEM key of the certificate.</summary>
    public string? TlsKey { get; init; }

    /// <summary>File with the bearer token that requests must bring.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Cost and detail.</summary>
    /// <value>minimal, standard or full.</value>
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

    /// <summary>Whether procfs and sysfs are this machine's own.</summary>
    public bool OwnTrees => ProcRoot == "/proc" && SysRoot == "/sys";
}
