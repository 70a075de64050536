using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// Scaphandre 1.0's names, in its units (µJ, µW). As there, the host is psys where there is one, else its packages; unlike there,
/// what is unknown is absent, and energy is never power added up.
/// </summary>
internal static class ScaphandreMetrics
{
    internal static readonly ImmutableArray<MetricDefinition> Table =
    [
        Energy("scaph_host_energy_microjoules", "value_source", "Energy of the host.", (scrape, writer) => Host(scrape, writer, power: false)),
        Power("scaph_host_power_microwatts", "value_source", "Power of the host.", (scrape, writer) => Host(scrape, writer, power: true)),
        Energy("scaph_socket_energy_microjoules", "socket_id", "Energy of a socket.", (scrape, writer) => Sockets(scrape, writer, power: false)),
        Power("scaph_socket_power_microwatts", "socket_id", "Power of a socket.", (scrape, writer) => Sockets(scrape, writer, power: true)),
        Energy("scaph_domain_energy_microjoules", "domain_name,domain_id,socket_id", "Energy of a domain of a socket.", (scrape, writer) => Domains(scrape, writer, power: false)),
        Power("scaph_domain_power_microwatts", "domain_name,domain_id,socket_id", "Power of a domain of a socket.", (scrape, writer) => Domains(scrape, writer, power: true)),
        Power("scaph_process_power_consumption_microwatts", "exe,pid,container_id,container_names,container_runtime,kubernetes_pod_name,kubernetes_pod_namespace",
            "Active power of a process over the last 10 to 20 s.", Process),
        new("scaph_forks_since_boot_total", MetricType.Counter, null, "", "Forks since boot.",
            (scrape, writer) => Count(writer, scrape.Node.Counters?.Forks)) { Verbatim = true },
        new("scaph_context_switches_total", MetricType.Counter, null, "", "Context switches since boot.",
            (scrape, writer) => Count(writer, scrape.Node.Counters?.ContextSwitches)) { Verbatim = true },
        Power("scaph_processes_running_current", "", "Processes running.", (scrape, writer) => Count(writer, scrape.Node.Counters?.Running)),
        Power("scaph_processes_blocked_current", "", "Processes blocked.", (scrape, writer) => Count(writer, scrape.Node.Counters?.Blocked)),
        Power("scaph_self_cpu_usage_percent", "", "CPU of the agent itself, % of one CPU.", (scrape, writer) =>
        {
            if (scrape.Self.CpuRatio is { } ratio)
            {
                writer.Sample().Value(ratio * 100);
            }
        }),
        Power("scaph_self_memory_bytes", "", "Resident memory of the agent itself.", (scrape, writer) => Count(writer, scrape.Self.ResidentBytes)),
        Power("scaph_self_version", "", "Version of this agent, major.minor.", Version),
    ];

    private static MetricDefinition Energy(string name, string labels, string help, Action<MetricScrape, ExpositionWriter> collect) =>
        new(name, MetricType.Counter, "microjoules", labels, help, collect) { Verbatim = true };

    private static MetricDefinition Power(string name, string labels, string help, Action<MetricScrape, ExpositionWriter> collect) =>
        new(name, MetricType.Gauge, name.EndsWith("_microwatts", StringComparison.Ordinal) ? "microwatts" : null, labels, help, collect);

    private static void Count(ExpositionWriter writer, long? value)
    {
        if (value is { } known)
        {
            writer.Sample().Value(known);
        }
    }

    private static void Host(MetricScrape scrape, ExpositionWriter writer, bool power)
    {
        MeterReport[] psys = [.. scrape.DistinctReports.Where(report => report.Meter.Domain == EnergyDomain.Psys)];
        MeterReport[] host = psys.Length > 0 ? psys : [.. scrape.DistinctReports.Where(IsPackage)];
        if (host.Length > 0)
        {
            Figure(writer, host, power, sample => sample.Label("value_source", Source(host)));
        }
    }

    // Its own words are for what was read from powercap only; what comes from elsewhere, an estimate above all, says where from.
    private static string Source(MeterReport[] host) => Array.TrueForAll(host, report => report.Meter.Origin == EnergyOrigin.Rapl)
        ? host[0].Meter.Domain == EnergyDomain.Psys ? "powercap_rapl_psys" : "powercap_rapl_pkg"
        : string.Join('+', host.Select(report => report.Meter.Origin.Name()).Distinct().Order(StringComparer.Ordinal));

    private static void Sockets(MetricScrape scrape, ExpositionWriter writer, bool power)
    {
        foreach (IGrouping<int?, MeterReport> socket in scrape.DistinctReports.Where(IsPackage).GroupBy(report => report.Meter.Package))
        {
            Figure(writer, [.. socket], power, sample => sample.Label("socket_id", socket.Key));
        }
    }

    private static void Domains(MetricScrape scrape, ExpositionWriter writer, bool power)
    {
        foreach (IGrouping<int?, MeterReport> socket in scrape.DistinctReports
            .Where(report => report.Meter.Domain is EnergyDomain.Core or EnergyDomain.Uncore or EnergyDomain.Dram).GroupBy(report => report.Meter.Package))
        {
            int number = 0;
            foreach (IGrouping<EnergyDomain, MeterReport> domain in socket.GroupBy(report => report.Meter.Domain).OrderBy(domain => domain.Key))
            {
                int id = number++;
                Figure(writer, [.. domain], power,
                    sample => sample.Label("domain_name", domain.Key.Name()).Label("domain_id", id).Label("socket_id", socket.Key));
            }
        }
    }

    private static void Figure(ExpositionWriter writer, MeterReport[] reports, bool power, Func<ExpositionWriter, ExpositionWriter> labels)
    {
        if (power && reports.All(report => report.Watts is not null))
        {
            labels(writer.Sample()).Value((long)(reports.Sum(report => report.Watts!.Value) * 1e6));
        }
        else if (!power && reports.All(report => report.TotalMicrojoules is not null))
        {
            labels(writer.Sample()).Value(reports.Sum(report => report.TotalMicrojoules!.Value));
        }
    }

    private static bool IsPackage(MeterReport report) => report.Meter.Domain == EnergyDomain.Package;

    private static void Process(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (ConsumerTotals process in scrape.Processes.Where(process => !process.Ended))
        {
            if (scrape.EarlierLedger is null)
            {
                return;
            }

            double watts = (process.TotalActive - (scrape.Earlier(process)?.TotalActive ?? 0)) / 1e6 / scrape.SecondsSinceEarlier;
            ContainerName? container = process.Container is { } id ? scrape.Parts.Names.Container(id) : null;
            PodName? pod = process.PodUid is { } uid ? scrape.Parts.Names.Pod(uid) : null;
            writer.Sample().Label("exe", process.Name).Label("pid", process.Pid).Label("container_id", process.Container)
                .Label("container_names", container?.Name).Label("container_runtime", container?.Runtime)
                .Label("kubernetes_pod_name", pod?.Name).Label("kubernetes_pod_namespace", pod?.Namespace).Value((long)(watts * 1e6));
        }
    }

    private static void Version(MetricScrape scrape, ExpositionWriter writer)
    {
        string[] parts = scrape.Node.Version.Split('.');
        if (parts.Length > 1 && double.TryParse($"{parts[0]}.{parts[1]}", NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double version))
        {
            writer.Sample().Value(version);
        }
    }
}
