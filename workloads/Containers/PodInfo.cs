namespace Keck.Workloads;

/// <summary>A pod's names.</summary>
/// <param name="Uid">UID as the cgroup has it: with dashes, or a static pod's 32 hex digits.</param>
/// <param name="Name">Its name; null where only its UID is known.</param>
/// <param name="Namespace">Its namespace; null where only its UID is known.</param>
public sealed record PodInfo(string Uid, string? Name, string? Namespace);
