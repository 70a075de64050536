namespace Keck.Agent;

/// <summary>One consumer inside a guest, by the guest's word. Energies are cumulative in the guest's epoch, µJ.</summary>
/// <param name="Kind"><c>process</c>, <c>container</c> or <c>pod</c>.</param>
/// <param name="Pid">Process id in the guest.</param>
/// <param name="Name">Comm, or the name of a container or pod.</param>
/// <param name="Namespace">Kubernetes namespace.</param>
/// <param name="PodUid">Pod UID.</param>
/// <param name="ContainerId">Container id.</param>
/// <param name="EnergyMicrojoules">Its energy.</param>
/// <param name="LowMicrojoules">Lower end of its 95 % interval.</param>
/// <param name="HighMicrojoules">Upper end.</param>
/// <param name="Quality">Whether it was counted, as the guest says.</param>
/// <param name="Origin">Where it comes from, as the guest says.</param>
public sealed record GuestConsumer(
    string Kind, int? Pid, string? Name, string? Namespace, string? PodUid, string? ContainerId,
    long? EnergyMicrojoules, long? LowMicrojoules, long? HighMicrojoules, string? Quality, string? Origin);
