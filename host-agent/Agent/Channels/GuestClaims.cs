using Keck.Agent;
using Keck.VsockProtocol;

namespace Keck.Host;

/// <summary>What a guest says of its consumers, as the API shows it. Its numbers have passed the protocol's rules, and are claims.</summary>
internal static class GuestClaims
{
    internal static GuestReport Report(Usage usage, DateTimeOffset at) => new(
        at,
        usage.HasInterval ? usage.Interval : null,
        [.. usage.Top.Select(Consumer)],
        usage.Rest is { HasEnergyMicrojoules: true } rest ? (long)rest.EnergyMicrojoules : null);

    private static GuestConsumer Consumer(WireUsage line) => new(
        line.Kind switch { WireUsageKind.Container => "container", WireUsageKind.Pod => "pod", _ => "process" },
        line.HasPid ? (int)Math.Min(line.Pid, int.MaxValue) : null,
        Text(line.HasName, line.Name),
        Text(line.HasNamespace, line.Namespace),
        Text(line.HasPodUid, line.PodUid),
        Text(line.HasContainerId, line.ContainerId),
        Energy(line.Energy?.HasEnergyMicrojoules, line.Energy?.EnergyMicrojoules),
        Energy(line.Energy?.HasLowMicrojoules, line.Energy?.LowMicrojoules),
        Energy(line.Energy?.HasHighMicrojoules, line.Energy?.HighMicrojoules),
        line.Energy is { HasQuality: true } graded ? graded.Quality.ToString().ToLowerInvariant() : null,
        line.Energy is { HasOrigin: true } from ? from.Origin.ToString().ToLowerInvariant() : null);

    private static string? Text(bool has, string text) => has ? text : null;

    private static long? Energy(bool? has, ulong? value) => has == true ? (long)value!.Value : null;
}
