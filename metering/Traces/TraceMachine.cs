namespace Keck.Metering;

/// <summary>A virtual machine of a trace.</summary>
/// <param name="Uuid">Its UUID, the id of its consumer.</param>
/// <param name="Name">Its name; null where unknown.</param>
/// <param name="Vcpus">How many vCPUs it has; null where unknown.</param>
/// <param name="MemoryKibibytes">Its memory, KiB; null where unknown.</param>
public sealed record TraceMachine(string Uuid, string? Name = null, int? Vcpus = null, long? MemoryKibibytes = null);
