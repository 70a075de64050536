namespace Keck.Workloads;

/// <summary>What a runtime's files say about a container.</summary>
/// <param name="Id">Container id, 64 hex digits.</param>
/// <param name="Name">Its name: Kubernetes' name of the container, else the runtime's; null for a pod's sandbox without one.</param>
/// <param name="Runtime"><c>containerd</c>, <c>crio</c>, <c>docker</c> or <c>podman</c>: whose files they are.</param>
/// <param name="PodUid">UID of its pod; null outside pods.</param>
public sealed record ContainerInfo(string Id, string? Name, string Runtime, string? PodUid);
