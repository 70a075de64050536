namespace Keck.Power;

/// <summary>What every source is found with.</summary>
/// <param name="Options">Roots and limits.</param>
/// <param name="Files">The trees.</param>
/// <param name="Perf">perf_event_open.</param>
/// <param name="Clock">The monotonic clock.</param>
/// <param name="Topology">The CPUs.</param>
/// <param name="Cpu">What the CPUs say they are.</param>
internal sealed record PowerEnvironment(
    PowerOptions Options,
    ISystemFiles Files,
    IPerfCounters Perf,
    MonotonicClock Clock,
    HostTopology Topology,
    CpuIdentity Cpu);
