namespace Keck.Agent;

/// <summary>What Kubernetes calls a pod.</summary>
/// <param name="Namespace">Its namespace, such as <c>kube-system</c>.</param>
/// <param name="Name">Its name, such as <c>coredns-5d78c9869d-x2x7k</c>.</param>
public sealed record PodName(string Namespace, string Name);
