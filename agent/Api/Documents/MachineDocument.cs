namespace Keck.Agent;

/// <summary>What makes a consumer a virtual machine. Its threads, vCPUs and its guest's words are shown for single machines only.</summary>
internal sealed record MachineDocument
{
    /// <summary><c>running</c>, <c>paused</c>, <c>stopped</c> or <c>unknown</c>.</summary>
    public string? State { get; init; }

    public string? Manager { get; init; }

    public MachineOwnerDocument? Owner { get; init; }

    /// <summary>The pod it runs in, where it is one of a KubeVirt-like manager.</summary>
    public string? PodUid { get; init; }

    /// <summary>Whether its UUID was made by the agent.</summary>
    public bool? Derived { get; init; }

    /// <summary>How many vCPUs it is sized with.</summary>
    public int? VcpuCount { get; init; }

    public long? MemoryKibibytes { get; init; }

    /// <summary>Numbers its accounts: within one number its counters never go back.</summary>
    public required long Series { get; init; }

    /// <summary>Active energy of its vCPUs, µJ.</summary>
    public required long? VcpusMicrojoules { get; init; }

    /// <summary>Active energy of its other threads: QEMU's main loop, iothreads, vhost workers, helpers; µJ.</summary>
    public required long? OverheadMicrojoules { get; init; }

    /// <summary>Active energy of memory, µJ; where there is a meter of it.</summary>
    public long? DramMicrojoules { get; init; }

    /// <summary>Its part of the static energy, µJ, as each policy would have it; under <c>separate</c> it has none.</summary>
    public required MachineStaticDocument Static { get; init; }

    /// <summary>95 % bounds of the energies above: <c>vcpus</c>, <c>overhead</c>, <c>dram</c>, <c>static.proportional</c>, <c>static.allocated</c>; absent where the machine has no meter.</summary>
    public IReadOnlyDictionary<string, BoundsDocument>? Bounds { get; init; }

    /// <summary>Time that KVM spun on the host for its halted vCPUs; part of its CPU time.</summary>
    public double? HaltPollSeconds { get; init; }

    public MachineChannelDocument? Channel { get; init; }

    public VcpuDocument[]? Vcpus { get; init; }

    /// <summary>Its live threads by role, since this agent started.</summary>
    public ThreadRoleDocument[]? Threads { get; init; }

    /// <summary>What its guest reports: a claim.</summary>
    public GuestSummaryDocument? Guest { get; init; }
}
