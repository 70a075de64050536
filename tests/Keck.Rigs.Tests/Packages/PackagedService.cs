using System.Globalization;
using System.Text.Json;

namespace Keck.Rigs.Tests;

/// <summary>An agent's deb in L1, under systemd.</summary>
internal sealed class PackagedService(NestedRig host, string name)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private string Socket => $"/run/keck/{name["keck-".Length..]}.sock";

    /// <summary>Copies a deb in, under a name that says which.</summary>
    internal async Task<string> BringAsync(string deb, CancellationToken cancellationToken)
    {
        string path = $"/root/{Path.GetFileName(deb)}";
        await host.CopyInAsync(deb, path, executable: false, cancellationToken);
        return path;
    }

    /// <summary>What systemd shows of the unit.</summary>
    internal async Task<string> ShowAsync(string property, CancellationToken cancellationToken) =>
        (await host.RunAsync($"systemctl show --value -p {property} {name}", cancellationToken)).Succeeded().Trim();

    /// <summary>The journal of the unit.</summary>
    internal async Task<string> JournalAsync(CancellationToken cancellationToken) =>
        (await host.RunAsync($"journalctl -u {name} --no-pager -o cat", cancellationToken)).Succeeded();

    /// <summary>A document of the agent's API.</summary>
    internal async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken)
    {
        string address = name == "keck-guest" ? $"http://127.0.0.1:9471{path}" : $"--unix-socket {Socket} http://host{path}";
        using JsonDocument document = JsonDocument.Parse((await host.RunAsync($"curl -sSf {address}", cancellationToken)).Succeeded());
        return document.RootElement.Clone();
    }

    /// <summary>The node's document, once the agent has attributed this much energy.</summary>
    internal async Task<JsonElement> NodeAsync(long atLeastMicrojoules, CancellationToken cancellationToken)
    {
        JsonElement node = default;
        await Condition.HoldsAsync(
            async () => Energy(node = await GetAsync("/api/v1/node", cancellationToken)) >= Math.Max(1, atLeastMicrojoules), "energy", Patience, cancellationToken);
        return node;
    }

    /// <summary>Cumulative energy of package-0 in a node's document, µJ; 0 before it has any.</summary>
    internal static long Energy(JsonElement node) => node.GetProperty("domains").EnumerateArray()
        .Where(domain => domain.GetProperty("meter").GetString() == "package-0")
        .Select(domain => domain.GetProperty("energyMicrojoules").GetInt64())
        .FirstOrDefault();

    /// <summary>Files of L1 by mode, owner and path, but for what changes by itself and what dpkg and systemd keep for themselves.</summary>
    internal async Task<string[]> FilesAsync(CancellationToken cancellationToken) =>
        (await host.RunAsync(
            "find / -xdev \\( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -path /root -o -path /tmp -o -path /var/tmp -o -path /var/lib/systemd -o -path /var/lib/private \\) "
            + "-prune -o -printf '%M %u %p\\n' ; find /run/keck /run/systemd/system -printf '%M %u %p\\n' 2>/dev/null || true",
            cancellationToken)).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>How exposed systemd finds the unit, 0 to 10.</summary>
    internal async Task<double> ExposureAsync(CancellationToken cancellationToken)
    {
        string said = (await host.RunAsync($"systemd-analyze security {name} --no-pager | tail -n 1", cancellationToken)).Succeeded();
        return double.Parse(said.Split(": ")[1].Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
