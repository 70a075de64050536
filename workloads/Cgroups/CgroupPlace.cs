namespace Keck.Workloads;

/// <summary>What a cgroup path says about the container and the pod in it.</summary>
/// <param name="Container">Container id, 64 hex digits; null outside containers and for a container's monitor.</param>
/// <param name="PodUid">Pod UID with dashes, or a static pod's 32 hex digits; null outside pods.</param>
/// <param name="Runtime"><c>containerd</c>, <c>crio</c>, <c>docker</c>, <c>podman</c>; null where the path does not tell.</param>
/// <param name="Monitor">Whether this is a container's monitor (conmon), which belongs to the pod and not to the container.</param>
public readonly record struct CgroupPlace(string? Container, string? PodUid, string? Runtime, bool Monitor);
