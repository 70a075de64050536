using Keck.Metering;

namespace Keck.Agent;

/// <summary>The machine and the agent on it.</summary>
public sealed record NodeFacts
{
    /// <summary>The machine's host name.</summary>
    public required string Host { get; init; }

    /// <summary>The agent's program name: <c>keck-host</c> or <c>keck-guest</c>.</summary>
    public required string Agent { get; init; }

    /// <summary>The agent's version, such as <c>0.1.0</c>.</summary>
    public required string Version { get; init; }

    /// <summary>The kernel's release, such as <c>6.1.0-26-amd64</c>; null where unknown.</summary>
    public string? Kernel { get; init; }

    /// <summary>The processor's vendor as cpuid says it, such as <c>AuthenticAMD</c>; null where unknown.</summary>
    public string? CpuVendor { get; init; }

    /// <summary>The processor's model name; null where unknown.</summary>
    public string? CpuModel { get; init; }

    /// <summary>Length of a fast tick.</summary>
    public required TimeSpan TickPeriod { get; init; }

    /// <summary>The idle policy of the metrics, and of answers that were not asked for another.</summary>
    public IdlePolicy IdlePolicy { get; init; }

    /// <summary>The profile asked for.</summary>
    public ProfileKind ConfiguredProfile { get; init; } = ProfileKind.Standard;

    /// <summary>The profile in force; the governor may have stepped down.</summary>
    public ProfileKind Profile { get; init; } = ProfileKind.Standard;

    /// <summary>Why this profile is in force, in words.</summary>
    public string ProfileReason { get; init; } = "configured";

    /// <summary>The most detailed model allowed now; null for the profile's.</summary>
    public ModelKind? ModelLimit { get; init; }

    /// <summary>What a better model lacked in the last tick with runs, in words; null where nothing.</summary>
    public string? ModelReason { get; init; }

    /// <summary>The machine profile from <c>keck-host calibrate</c>; null for an agent that takes none.</summary>
    public CalibrationFacts? Calibration { get; init; }

    /// <summary>What is assumed of a meter's idle power before the machine was seen idle; null for an agent whose meters say it themselves.</summary>
    public IdlePrior? IdlePrior { get; init; }

    /// <summary>How often the governor changed the profile.</summary>
    public long ProfileChanges { get; init; }

    /// <summary>Counters of /proc/stat; null where not read.</summary>
    public HostCounters? Counters { get; init; }
}
