namespace Keck.Agent;

/// <summary>What a runtime calls a container.</summary>
/// <param name="Name">Its name, such as <c>coredns</c>.</param>
/// <param name="Runtime">The runtime, such as <c>containerd</c>; null where unknown.</param>
public sealed record ContainerName(string Name, string? Runtime);
