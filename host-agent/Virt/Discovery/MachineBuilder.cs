using System.Collections.Immutable;
using System.Globalization;

namespace Keck.Virt;

/// <summary>Makes machines out of what procfs and libvirt say.</summary>
internal static class MachineBuilder
{
    /// <summary>A machine that has a process.</summary>
    /// <param name="seen">The process.</param>
    /// <param name="domains">libvirt's domains by UUID.</param>
    /// <param name="vhostUserChannels">Hybrid vsock channels by the control socket that leads to them.</param>
    /// <param name="vcpus">Which threads run its vCPUs.</param>
    /// <param name="hostId">What makes derived ids this host's.</param>
    internal static Machine Create(
        HypervisorProcess seen, IReadOnlyDictionary<string, DomainFacts> domains, IReadOnlyDictionary<string, string> vhostUserChannels,
        ImmutableArray<VcpuThread> vcpus, string hostId)
    {
        HypervisorArguments arguments = seen.Arguments;
        string cgroup = seen.Cgroup ?? "";
        string? pod = MachineCgroup.PodUid(cgroup);
        string own = MachineCgroup.Own(cgroup).ToString();
        string? system = arguments.Uuid ?? arguments.SmbiosUuid;
        DomainFacts? domain = system is not null ? domains.GetValueOrDefault(system) : null;
        MachineManager manager = domain?.Manager ?? Manager(arguments, cgroup, own, pod, seen.VmiUid);
        MachineOwner? owner = domain?.Owner;
        if (owner is null && manager == MachineManager.KubeVirt && KubeVirtName.TrySplit(arguments.Name, out string? project, out string? name))
        {
            owner = new MachineOwner { Project = project, DisplayName = name };
        }

        string? key = Key(manager, seen, domain, system, hostId);
        bool derived = key is null;
        key ??= DerivedKey(seen, hostId);
        ImmutableArray<MachineChannel> channels = manager == MachineManager.Kata
            ? []
            : [.. (domain?.Channels ?? []).Concat(arguments.Channels).Concat(Hybrid(arguments, vhostUserChannels)).Distinct()];
        string? held = own.Length > 0 ? own : manager == MachineManager.Kata && cgroup.Contains("/kata_", StringComparison.Ordinal) ? cgroup : null;
        return new Machine
        {
            Uuid = key,
            SystemUuid = system == key ? null : system,
            Derived = derived || (manager == MachineManager.KubeVirt && seen.VmiUid is null && domain?.VmiUid is null),
            Name = domain?.Name ?? arguments.Name ?? (manager == MachineManager.Proxmox ? $"vm-{arguments.InstanceId}" : null),
            // KVM counts what is there: CPUs plugged in since the start are not on the command line.
            Vcpus = vcpus.Length > 0 ? vcpus.Length : domain is { Vcpus: > 0 } ? domain.Vcpus : arguments.Vcpus,
            MemoryKibibytes = domain is { MemoryKibibytes: > 0 } ? domain.MemoryKibibytes : arguments.MemoryKibibytes,
            State = domain is { State: MachineState.Running or MachineState.Paused } ? domain.State : domain is null ? MachineState.Running : MachineState.Unknown,
            Manager = manager,
            Owner = owner,
            PodUid = pod,
            Process = seen.Process,
            Cgroup = held,
            SharedCgroup = pod is not null && held is null ? cgroup : null,
            VcpuThreads = vcpus,
            Channels = channels,
        };
    }

    /// <summary>A domain without a process of ours to see.</summary>
    internal static Machine Create(DomainFacts domain) => new()
    {
        Uuid = domain.VmiUid ?? domain.Uuid,
        SystemUuid = domain.VmiUid is null ? null : domain.Uuid,
        Name = domain.Name,
        Vcpus = domain.Vcpus,
        MemoryKibibytes = domain.MemoryKibibytes,
        State = domain.State,
        Manager = domain.Manager,
        Owner = domain.Owner,
        Channels = domain.Channels,
    };

    /// <summary>The same machine under an id of its own: another process has its key by better right, and its owner and channels with it.</summary>
    internal static Machine AsDuplicate(Machine machine, HypervisorProcess seen, string hostId) => machine with
    {
        Uuid = ProcessKey(seen.Process, "duplicate", hostId),
        SystemUuid = machine.SystemUuid ?? machine.Uuid,
        Derived = true,
        Owner = null,
        Channels = [.. seen.Arguments.Channels],
    };

    private static MachineManager Manager(HypervisorArguments arguments, string cgroup, string own, string? pod, string? vmiUid)
    {
        bool sandbox = arguments.Name?.StartsWith("sandbox-", StringComparison.Ordinal) == true;
        if (sandbox && (pod is not null || cgroup.Contains("kata", StringComparison.Ordinal)))
        {
            return MachineManager.Kata;
        }

        if (vmiUid is not null || (pod is not null && KubeVirtName.TrySplit(arguments.Name, out _, out _)))
        {
            return MachineManager.KubeVirt;
        }

        if (arguments.InstanceId is not null && (arguments.ProxmoxMonitor || own.StartsWith("/qemu.slice/", StringComparison.Ordinal)))
        {
            return MachineManager.Proxmox;
        }

        return arguments.FromLibvirt || own.Length > 0 ? MachineManager.Libvirt : MachineManager.Plain;
    }

    private static string? Key(MachineManager manager, HypervisorProcess seen, DomainFacts? domain, string? system, string hostId)
    {
        if (manager != MachineManager.KubeVirt)
        {
            return system;
        }

        // The firmware UUID may be a hash of the VM's name alone: equal names in two namespaces share it.
        return seen.VmiUid ?? domain?.VmiUid
            ?? (system is not null && seen.Arguments.Name is { } name ? MachineId.Derive("kubevirt", name, system) : null);
    }

    private static string DerivedKey(HypervisorProcess seen, string hostId)
    {
        HypervisorArguments arguments = seen.Arguments;
        return arguments.InstanceId is { } id ? MachineId.Derive("instance", hostId, id)
            : arguments.Name is { } name ? MachineId.Derive("name", hostId, name)
            : ProcessKey(seen.Process, "process", hostId);
    }

    private static string ProcessKey(MachineProcess process, string kind, string hostId) => MachineId.Derive(
        kind, hostId, process.Pid.ToString(CultureInfo.InvariantCulture), process.StartTicks.ToString(CultureInfo.InvariantCulture));

    private static IEnumerable<MachineChannel> Hybrid(HypervisorArguments arguments, IReadOnlyDictionary<string, string> channels) =>
        arguments.VhostUserSockets.Where(channels.ContainsKey).Select(control => new MachineChannel(ChannelKind.HybridVsock, 0, channels[control]));
}
