using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Agent.Tests;

/// <summary>A real Prometheus scrapes the agent and finds energy conserved by its own query language.</summary>
public sealed class PrometheusTests
{
    [Fact]
    [Trait("Speed", "slow")]
    public async Task Prometheus_ScrapesTheAgent_FindsTheConservationIdentityTrue()
    {
        Assert.SkipUnless(Programs.Find("prometheus") is not null, "prometheus is not installed: eng/setup.sh test installs it");
        CancellationToken cancel = TestContext.Current.CancellationToken;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("keck-prometheus-");
        var agent = new FakeAgent();
        await using IApiHost host = await ApiHosts.StartAsync(
            agent.Router(MetricDialects.Kepler | MetricDialects.Scaphandre, topProcesses: 10),
            new ApiListenOptions { Address = "127.0.0.1:0", UnixSocket = null }, ProfileKind.Standard, NullLoggerFactory.Instance, cancel);
        string config = Path.Combine(folder.FullName, "prometheus.yml");
        await File.WriteAllTextAsync(config, $"""
            global: {"{"} scrape_interval: 200ms, scrape_timeout: 200ms {"}"}
            scrape_configs:
              - job_name: keck
                params: {"{"} expose: ["kepler,scaphandre"] {"}"}
                static_configs: [{"{"} targets: ["{new Uri(host.Addresses[0]).Authority}"] {"}"}]
            """, cancel);
        int port = FreePort();
        using Process prometheus = Process.Start(new ProcessStartInfo(Programs.Find("prometheus")!,
            [$"--config.file={config}", $"--storage.tsdb.path={folder.FullName}/data", $"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            using HttpClient client = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

            // The condition is the scrape itself; the test's own time limit ends a wait in vain.
            using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(100));
            while (await ScalarAsync(client, "sum(up{job=\"keck\"})", cancel) != 1)
            {
                Assert.False(prometheus.HasExited, "prometheus ended");
                await poll.WaitForNextTickAsync(cancel);
            }

            const string Identity = "count(abs(sum by (domain, package) ({__name__=~\"keck_(processes|idle|system|unattributed|allocated|overhead)_joules_total\"})"
                + " - sum by (domain, package) (keck_domain_joules_total)) < 1e-6)";
            Assert.Equal(3, await ScalarAsync(client, Identity, cancel));
            const string Processes = "count(abs(sum by (domain, package) (keck_process_joules_total) + sum by (domain, package) (keck_departed_joules_total)"
                + " - sum by (domain, package) (keck_processes_joules_total)) < 1e-6)";
            Assert.Equal(3, await ScalarAsync(client, Processes, cancel));
            Assert.Equal(1, await ScalarAsync(client, "count(kepler_pod_cpu_joules_total{zone=\"package\"})", cancel));
            Assert.Equal(1, await ScalarAsync(client, "count(scaph_host_energy_microjoules)", cancel));
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync(CancellationToken.None);
            folder.Delete(recursive: true);
        }
    }

    private static async Task<double?> ScalarAsync(HttpClient client, string query, CancellationToken cancel)
    {
        try
        {
            string answer = await client.GetStringAsync(new Uri($"/api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative), cancel);
            JsonElement result = JsonDocument.Parse(answer).RootElement.GetProperty("data").GetProperty("result");
            return result.GetArrayLength() == 0 ? null : double.Parse(result[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
