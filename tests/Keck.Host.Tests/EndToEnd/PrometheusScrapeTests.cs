using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Keck.Host.Tests;

/// <summary>A real Prometheus scrapes the native agent: the values it stores are those the machine gave.</summary>
[Trait("Speed", "slow")]
public sealed class PrometheusScrapeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-prometheus-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Prometheus_ScrapesTheBinary_StoresWhatTheMachineGave()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/prometheus"), "prometheus is not installed: eng/setup.sh test installs it");
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        string config = Path.Combine(_folder, "prometheus.yml");
        File.WriteAllText(config, $$"""
            global: { scrape_interval: 200ms, scrape_timeout: 200ms }
            scrape_configs:
              - job_name: keck
                static_configs: [{ targets: ["{{agent.Address.Authority}}"] }]
            """);
        int port = FreePort();
        using Process prometheus = Process.Start(new ProcessStartInfo(
            "/usr/bin/prometheus", [$"--config.file={config}", $"--storage.tsdb.path={_folder}/data", $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]))!;
        try
        {
            using HttpClient client = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            machine.Work(12_345_678);
            machine.Add(MachineTree.Package1, 1);
            await agent.UntilAsync("the energy of package 0 in Prometheus", async () => await ScalarAsync(client, "keck_domain_joules_total{domain=\"package\",package=\"0\"}") == 12.345678);
            Assert.Equal(12.345679, await ScalarAsync(client, "keck_domain_joules_total{domain=\"package\",package=\"1\"}"));
            Assert.Equal(4, await ScalarAsync(
                client,
                "count(abs(keck_processes_joules_total + keck_idle_joules_total + keck_system_joules_total + keck_unattributed_joules_total - sum without (origin, quality) (keck_domain_joules_total)) < 1e-6)"));
            Assert.Equal(1, await ScalarAsync(client, "up{job=\"keck\"}"));
            Assert.Equal(4, await ScalarAsync(client, "sum(keck_meter_up{selected=\"true\"})"));
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task<double?> ScalarAsync(HttpClient client, string query)
    {
        try
        {
            using JsonDocument answer = JsonDocument.Parse(await client.GetStringAsync(
                new Uri($"/api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative), TestContext.Current.CancellationToken));
            JsonElement result = answer.RootElement.GetProperty("data").GetProperty("result");
            return result.GetArrayLength() == 0 ? null : double.Parse(result[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
        }
        catch (HttpRequestException)
        {
            return null; // Not up yet.
        }
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
