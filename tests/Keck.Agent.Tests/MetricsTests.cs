using System.Globalization;
using System.Text.RegularExpressions;
using Keck.Metering;
using Keck.Tests;

namespace Keck.Agent.Tests;

public sealed partial class MetricsTests
{
    private const string OpenMetrics = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

    [Fact]
    public void Metrics_SampleLedger_IsTheGoldenText() =>
        Golden.Check("metrics.txt", new FakeAgent().Get("/metrics").Body);

    [Fact]
    public void Metrics_OpenMetricsAsked_IsTheGoldenText()
    {
        (ApiResponse response, string body) = new FakeAgent().Get("/metrics", OpenMetrics);
        Assert.StartsWith("application/openmetrics-text", response.ContentType, StringComparison.Ordinal);
        Assert.EndsWith("# EOF\n", body, StringComparison.Ordinal);
        Golden.Check("metrics.openmetrics.txt", body);
    }

    [Fact]
    public void Metrics_AllShown_IsTheGoldenText()
    {
        var agent = new FakeAgent { Policy = IdlePolicy.Proportional };
        ApiRouter router = agent.Router(MetricDialects.Kepler | MetricDialects.Scaphandre, topProcesses: 3);
        Golden.Check("metrics.all.txt", agent.Get("/metrics?expose=kepler,scaphandre", router: router).Body);
    }

    [Fact]
    public void Metrics_BeforeTheFirstTick_HasNoEnergyAtAll()
    {
        var agent = new FakeAgent(seconds: 0);
        string body = agent.Get("/metrics?expose=kepler,scaphandre", router: agent.Router((MetricDialects)3, 10)).Body;
        Assert.DoesNotContain("keck_domain_joules", body, StringComparison.Ordinal);
        Assert.DoesNotContain("kepler_node_cpu_idle_watts", body, StringComparison.Ordinal);
        Assert.Contains("keck_agent_info", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(IdlePolicy.Separate)]
    [InlineData(IdlePolicy.Proportional)]
    [InlineData(IdlePolicy.Allocated)]
    public void Metrics_PerDomainAndPackage_PartsAddUpToTheMicrojoule(IdlePolicy policy)
    {
        var agent = new FakeAgent(seconds: 77) { Policy = policy };
        Dictionary<(string Family, string Domain, string Package), decimal> sums = Parse(agent.Get("/metrics", router: agent.Router(topProcesses: 100)).Body);
        (string, string)[] domains = [("package", "0"), ("package", "1"), ("dram", "0")];
        foreach ((string domain, string package) in domains)
        {
            decimal Of(string family) => sums[(family, domain, package)];
            Assert.Equal(Of("keck_domain_joules_total"),
                Of("keck_processes_joules_total") + Of("keck_idle_joules_total") + Of("keck_system_joules_total") + Of("keck_unattributed_joules_total")
                + sums.GetValueOrDefault(("keck_allocated_joules_total", domain, package)));
            Assert.Equal(policy == IdlePolicy.Allocated, sums.ContainsKey(("keck_allocated_joules_total", domain, package)));
            Assert.Equal(Of("keck_processes_joules_total"), Of("keck_process_joules_total") + Of("keck_departed_joules_total"));
            Assert.True(Of("keck_domain_joules_total") > 0);
        }
    }

    [Fact]
    public void Metrics_Pods_AddUpToTheirEnergy()
    {
        string body = new FakeAgent(seconds: 77).Get("/metrics").Body;
        decimal sum = Parse(body).Where(item => item.Key.Family == "keck_pod_joules_total").Sum(item => item.Value);
        Assert.Equal(SampleLedger.At(77).Consumers.Single(consumer => consumer.Kind == ConsumerKind.Pod).TotalActive / 1_000_000m, sum);
    }

    [Theory]
    [InlineData(IdlePolicy.Separate)]
    [InlineData(IdlePolicy.Proportional)]
    [InlineData(IdlePolicy.Allocated)]
    public void Metrics_Machine_ComponentsAreItsEnergyAndVcpusItsCpu(IdlePolicy policy)
    {
        string body = new FakeAgent(seconds: 77) { Policy = policy }.Get("/metrics").Body;
        decimal Of(string family, string label) => body.Split('\n').Where(line => line.StartsWith(family + "{", StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
            .Sum(line => decimal.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
        ConsumerTotals machine = SampleLedger.At(77).Consumers.Single(consumer => consumer.Kind == ConsumerKind.Machine);
        Assert.Equal(machine.TotalActive / 1_000_000m, Of("keck_machine_joules_total", "share=\"active\""));
        Assert.Equal(machine.TotalStatic(policy) / 1_000_000m, Of("keck_machine_joules_total", "share=\"idle\""));
        Assert.Equal(Of("keck_machine_joules_total", "component=\"cpu\",share=\"active\""), Of("keck_machine_vcpu_joules_total", "vcpu"));
        Assert.Contains("keck_machine_info{uuid=\"" + SampleLedger.MachineUuid + "\",name=\"web-vm\",state=\"running\",manager=\"nova\",project=\"shop\"", body, StringComparison.Ordinal);
        Assert.Contains("keck_machine_halt_poll_seconds_total{uuid=\"" + SampleLedger.MachineUuid + "\"} 12.345678901", body, StringComparison.Ordinal);
        Assert.Contains("keck_channel_connected{uuid=\"" + SampleLedger.MachineUuid + "\"} 1", body, StringComparison.Ordinal);
        Assert.DoesNotContain("idle <b>", body, StringComparison.Ordinal);
    }

    [Fact]
    public void Metrics_InAGuest_TheHypervisorsOverheadIsAPartOfTheSum()
    {
        LedgerSnapshot ledger = SampleLedger.At(5);
        MeterTotals overhead = new()
        {
            Meter = new() { Id = "overhead", Domain = EnergyDomain.Overhead, Origin = EnergyOrigin.Budget, Quality = ReadingQuality.Measured, Selected = true },
            Total = 7_000_001,
            Overhead = 7_000_001,
        };
        var agent = new FakeAgent(seconds: 0)
        {
            Now = ledger with
            {
                Meters = ledger.Meters.Add(overhead),
                Consumers = [.. ledger.Consumers.Select(consumer => consumer with
                {
                    Active = consumer.Active.Add(0), Proportional = consumer.Proportional.Add(0), Allocated = consumer.Allocated.IsEmpty ? [] : consumer.Allocated.Add(0),
                })],
            },
        };
        Dictionary<(string Family, string Domain, string Package), decimal> sums = Parse(agent.Get("/metrics").Body);
        Assert.Equal(7.000001m, sums[("keck_overhead_joules_total", "overhead", "")]);
        string[] parts = ["processes", "idle", "system", "unattributed", "overhead"];
        Assert.Equal(sums[("keck_domain_joules_total", "overhead", "")], parts.Sum(part => sums.GetValueOrDefault(($"keck_{part}_joules_total", "overhead", ""))));
        Assert.DoesNotContain(sums.Keys, key => key is { Family: "keck_overhead_joules_total", Domain: not "overhead" });
    }

    [Fact]
    public void Metrics_DialectNotEnabled_IsRefusedWithTheFlag()
    {
        (ApiResponse response, string body) = new FakeAgent().Get("/metrics?expose=kepler");
        Assert.Equal(400, response.Status);
        Assert.Contains("--expose kepler", body, StringComparison.Ordinal);
    }

    [Fact]
    public void Metrics_TooManyContainers_ShowsTheHungriestAndCountsTheRest()
    {
        LedgerSnapshot ledger = SampleLedger.At(1);
        ConsumerTotals sample = ledger.Consumers.First(consumer => consumer.Kind == ConsumerKind.Container);
        var agent = new FakeAgent(seconds: 0)
        {
            Now = ledger with { Consumers = [.. Enumerable.Range(0, 50).Select(i => sample with { Id = $"c{i}", Active = [i, 0, 0] })] },
        };
        var router = new ApiRouter(agent.Parts, new ApiOptions { Metrics = new MetricsOptions { SeriesLimit = 10 } });
        string body = agent.Get("/metrics", router: router).Body;
        Assert.Contains("id=\"c49\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"c39\"", body, StringComparison.Ordinal);
        Assert.Contains("keck_hidden_consumers{consumer_kind=\"container\"} 40", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EnergyOrigin.Estimate, "estimate")]
    [InlineData(EnergyOrigin.Hwmon, "hwmon")]
    [InlineData(EnergyOrigin.Budget, "budget")]
    [InlineData(EnergyOrigin.Rapl, "powercap_rapl_pkg")]
    public void Metrics_ScaphandreHost_SaysWhereItsEnergyIsFrom(EnergyOrigin origin, string expected)
    {
        var agent = new FakeAgent { Origin = origin };
        string body = agent.Get("/metrics?expose=scaphandre", router: agent.Router(MetricDialects.Scaphandre)).Body;
        Assert.Contains($"scaph_host_energy_microjoules{{value_source=\"{expected}\"}} ", body, StringComparison.Ordinal);
        Assert.Contains($"scaph_host_power_microwatts{{value_source=\"{expected}\"}} ", body, StringComparison.Ordinal);
    }

    [Fact]
    public void Metrics_KeplerVm_IsTheLedgersMachineAndItsProcessSaysWhichItIs()
    {
        var agent = new FakeAgent(seconds: 77);
        string[] lines = agent.Get("/metrics?expose=kepler", router: agent.Router(MetricDialects.Kepler, topProcesses: 10)).Body.Split('\n');
        const string Labels = $"vm_id=\"{SampleLedger.MachineUuid}\",vm_name=\"web-vm\",hypervisor=\"kvm\",state=\"running\"";
        Assert.Contains($"kepler_vm_cpu_joules_total{{{Labels},zone=\"package\",node_name=\"kvm-07\"}} 192.500462", lines); // 77 s of 2,000,005 + 500,001 µJ
        Assert.Single(lines, line => line.StartsWith($"kepler_vm_cpu_watts{{{Labels},zone=\"package\"", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("kepler_process_cpu_joules_total{pid=\"1000\",", StringComparison.Ordinal)
            && line.Contains($"type=\"vm\",vm_id=\"{SampleLedger.MachineUuid}\"", StringComparison.Ordinal));
    }

    [Fact]
    public void Metrics_KeplerNode_PathIsAPathOrAbsent()
    {
        var agent = new FakeAgent { Origin = EnergyOrigin.Estimate };
        string body = agent.Get("/metrics?expose=kepler", router: agent.Router(MetricDialects.Kepler)).Body;
        Assert.Contains("kepler_node_cpu_joules_total{zone=\"package\",node_name=\"kvm-07\"} ", body, StringComparison.Ordinal);
        Assert.DoesNotContain("path=", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_234_567, "1.234567")]
    [InlineData(1_000_000, "1")]
    [InlineData(10, "0.00001")]
    [InlineData(0, "0")]
    [InlineData(-1_500_000, "-1.5")]
    [InlineData(long.MaxValue, "9223372036854.775807")]
    [InlineData(long.MinValue, "-9223372036854.775808")]
    public void Millionths_AnyEnergy_IsPrintedExactly(long microjoules, string expected)
    {
        using var buffer = new PooledBuffer();
        var writer = new ExpositionWriter(buffer, openMetrics: false);
        writer.Begin(new MetricDefinition("x", MetricType.Gauge, null, "", "h", (_, _) => { }));
        writer.Sample().Millionths(microjoules);
        Assert.EndsWith($"x {expected}\n", System.Text.Encoding.UTF8.GetString(buffer.Written.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("*/*", false)]
    [InlineData("application/openmetrics-text", true)]
    [InlineData(OpenMetrics, true)]
    [InlineData("application/openmetrics-text;q=0.3,text/plain;q=0.9", false)]
    [InlineData(",;,;q=,application/openmetrics-text;q=x", true)]
    public void PrefersOpenMetrics_AcceptHeader_TakesTheBetter(string? accept, bool expected) =>
        Assert.Equal(expected, Exposition.PrefersOpenMetrics(accept));

    [Fact]
    public void Markdown_Table_IsDocsMetrics() => Golden.CheckFile(Repository.PathOf("docs", "metrics.md"), MetricsReference.Markdown());

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/metrics?expose=kepler")]
    public void Metrics_OwnAndKepler_PassPromtool(string target)
    {
        var agent = new FakeAgent();
        (int code, string said) = Promtool(agent.Get(target, router: agent.Router(MetricDialects.Kepler, topProcesses: 5)).Body);
        Assert.True(code == 0, said);
    }

    [Fact]
    public void Metrics_Scaphandre_ParsesInPromtool()
    {
        var agent = new FakeAgent();
        (int code, string said) = Promtool(agent.Get("/metrics?expose=scaphandre", router: agent.Router(MetricDialects.Scaphandre, topProcesses: 5)).Body);

        // Its names break promtool's advice by birth (3: advice given); they must still parse (1: they do not).
        Assert.True(code is 0 or 3, said);
        Assert.All(said.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("scaph_", line, StringComparison.Ordinal));
    }

    private static (int Code, string Said) Promtool(string text)
    {
        Assert.SkipUnless(Programs.Find("promtool") is not null, "promtool is not installed: eng/setup.sh test installs it");
        return Programs.Run("promtool", ["check", "metrics"], text);
    }

    private static Dictionary<(string Family, string Domain, string Package), decimal> Parse(string text)
    {
        Dictionary<(string, string, string), decimal> sums = [];
        foreach (string line in text.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            Match match = SampleLine().Match(line);
            Assert.True(match.Success, line);
            string labels = match.Groups["labels"].Value;
            (string, string, string) key = (match.Groups["name"].Value, Label(labels, "domain"), Label(labels, "package"));
            if (decimal.TryParse(match.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal value))
            {
                sums[key] = sums.GetValueOrDefault(key) + value;
            }
        }

        return sums;
    }

    private static string Label(string labels, string name) => Regex.Match(labels, $"(?:^|,){name}=\"([^\"]*)\"").Groups[1].Value;

    [GeneratedRegex("""^(?<name>[a-z_]+)(?:\{(?<labels>(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (?<value>\S+)$""")]
    private static partial Regex SampleLine();
}
