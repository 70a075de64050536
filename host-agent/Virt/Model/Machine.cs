using System.Collections.Immutable;

namespace Keck.Virt;

/// <summary>What a machine is doing, as far as it is known.</summary>
public enum MachineState
{
    /// <summary>Not told.</summary>
    Unknown,

    /// <summary>Its vCPUs run, or may.</summary>
    Running,

    /// <summary>It is in memory and stands still.</summary>
    Paused,

    /// <summary>It is defined and has no process.</summary>
    Stopped,
}

/// <summary>Who manages a machine.</summary>
public enum MachineManager
{
    /// <summary>Nobody that is known: a hypervisor's process of its own.</summary>
    Plain,

    /// <summary>libvirt, with nothing above it that is known.</summary>
    Libvirt,

    /// <summary>OpenStack Nova.</summary>
    Nova,

    /// <summary>oVirt.</summary>
    Ovirt,

    /// <summary>KubeVirt (Harvester and OpenShift Virtualization included).</summary>
    KubeVirt,

    /// <summary>Proxmox VE.</summary>
    Proxmox,

    /// <summary>Kata Containers: the machine is a pod's sandbox and no tenant's.</summary>
    Kata,
}

/// <summary>A process, by pid and start; pids are reused.</summary>
/// <param name="Pid">Process id in the initial pid namespace.</param>
/// <param name="StartTicks">Start since boot in ticks of 10 ms, field 22 of <c>/proc/PID/stat</c>.</param>
public readonly record struct MachineProcess(int Pid, long StartTicks);

/// <summary>A thread that the kernel says runs a vCPU.</summary>
/// <param name="Tid">Thread id.</param>
/// <param name="Vcpu">vCPU number, from 0.</param>
public readonly record struct VcpuThread(int Tid, int Vcpu);

/// <summary>A virtual machine. Texts that come from its owner are at most 255 characters and hold no control characters.</summary>
public sealed record Machine
{
    /// <summary>The key: the domain's UUID, KubeVirt's VMI UID, or a derived id; lower case with dashes.</summary>
    public required string Uuid { get; init; }

    /// <summary>What its guest finds in SMBIOS (<c>product_uuid</c>), where that is not <see cref="Uuid"/>; null where unknown or the same.</summary>
    public string? SystemUuid { get; init; }

    /// <summary>Whether <see cref="Uuid"/> was made by us, because the machine has none or another machine has the same.</summary>
    public bool Derived { get; init; }

    /// <summary>The hypervisor's name for it; null where it has none.</summary>
    public string? Name { get; init; }

    /// <summary>vCPUs; 0 where unknown.</summary>
    public int Vcpus { get; init; }

    /// <summary>Memory, KiB; -1 where unknown.</summary>
    public long MemoryKibibytes { get; init; } = -1;

    /// <summary>What it is doing.</summary>
    public MachineState State { get; init; }

    /// <summary>Who manages it.</summary>
    public MachineManager Manager { get; init; }

    /// <summary>Whose it is; null where nobody says.</summary>
    public MachineOwner? Owner { get; init; }

    /// <summary>UID of the pod that it runs in, or null.</summary>
    public string? PodUid { get; init; }

    /// <summary>Its hypervisor's process; null while it has none.</summary>
    public MachineProcess? Process { get; init; }

    /// <summary>cgroup that holds it and nothing else; null where it shares one with others.</summary>
    public string? Cgroup { get; init; }

    /// <summary>cgroup that it shares with others (a pod's container): its helpers there are known by name.</summary>
    public string? SharedCgroup { get; init; }

    /// <summary>Which thread runs which vCPU, from KVM's debugfs; empty where that cannot be read.</summary>
    public ImmutableArray<VcpuThread> VcpuThreads { get; init; } = [];

    /// <summary>The addresses by which the hypervisor attests who its guest is. A Kata machine has none: nobody is to speak from there.</summary>
    public ImmutableArray<MachineChannel> Channels { get; init; } = [];
}
