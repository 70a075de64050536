namespace Keck.Metering;

/// <summary>A virtual machine: what is known of it beside its threads.</summary>
/// <param name="Uuid">Its UUID, the id of its consumer.</param>
/// <param name="Name">Its name; null where unknown.</param>
/// <param name="Vcpus">How many vCPUs it has; null where unknown.</param>
/// <param name="MemoryKibibytes">Its memory, KiB; null where unknown.</param>
/// <param name="Running">Whether it holds its vCPUs and memory now: a machine that was shut off gets no static energy.</param>
public sealed record MachineRow(string Uuid, string? Name = null, int? Vcpus = null, long? MemoryKibibytes = null, bool Running = true);
