namespace Keck.Virt;

/// <summary>A hypervisor's process as procfs shows it.</summary>
/// <param name="Process">Which process.</param>
/// <param name="Arguments">What its command line says.</param>
/// <param name="Cgroup">Its cgroup; null where it cannot be read.</param>
/// <param name="VmiUid">The VMI UID that its launcher was started with; null outside KubeVirt.</param>
internal sealed record HypervisorProcess(MachineProcess Process, HypervisorArguments Arguments, string? Cgroup, string? VmiUid);
