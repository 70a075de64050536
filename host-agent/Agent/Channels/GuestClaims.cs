using Keck.Agent;
using Keck.VsockProtocol;

namespace Keck.Host;

/// <summary>What a guest says of its consumers, as the API shows it. Its numbers have passed the protocol's rules, and are claims.</summary>
internal static class GuestClaims
{
    /// <summary>The most that is kept of one guest's words, bytes about.</summary>
    internal const int MostBytes = 64 * 1024;

    private const int LineBytes = 160;

    internal static GuestReport Report(Usage usage, DateTimeOffset at)
    {
        int lines = 0, bytes = 0;
        while (lines < usage.Top.Count && (bytes += Bytes(usage.Top[lines])) <= MostBytes)
        {
            lines++;
        }

        // Where lines are cut, nobody knows what the rest is.
        return new GuestReport(
            at,
            usage.HasInterval ? usage.Interval : null,
            [.. usage.Top.Take(lines).Select(Consumer)],
            lines == usage.Top.Count && usage.Rest is { HasEnergyMicrojoules: true } rest ? (long)rest.EnergyMicrojoules : null);
    }

    private static int Bytes(WireUsage line) =>
        LineBytes + (2 * (line.Name.Length + line.Namespace.Length + line.PodUid.Length + line.ContainerId.Length));

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
