using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// Kepler 0.11's names. Energy is ours: conserved, sockets of a zone summed. Absent instead of flat zero: zones without a meter,
/// kinds without a consumer. Watts are means over the last 10 to 20 s.
/// </summary>
internal static class KeplerMetrics
{
    internal static readonly ImmutableArray<MetricDefinition> Table =
    [
        new("kepler_node_cpu_joules", MetricType.Counter, "joules", "zone,path,node_name", "Energy of a RAPL zone, all sockets.", NodeJoules),
        new("kepler_node_cpu_watts", MetricType.Gauge, "watts", "zone,path,node_name", "Power of a RAPL zone, all sockets.",
            (scrape, writer) => NodeWatts(scrape, writer, meter => meter.Total)),
        Node("kepler_node_cpu_active", "Active energy of a RAPL zone.", meter => meter.Total - meter.Static),
        new("kepler_node_cpu_active_watts", MetricType.Gauge, "watts", "zone,path,node_name", "Active power of a RAPL zone.",
            (scrape, writer) => NodeWatts(scrape, writer, meter => meter.Total - meter.Static)),
        Node("kepler_node_cpu_idle", "Static energy of a RAPL zone.", meter => meter.Static),
        new("kepler_node_cpu_idle_watts", MetricType.Gauge, "watts", "zone,path,node_name", "Static power of a RAPL zone.",
            (scrape, writer) => NodeWatts(scrape, writer, meter => meter.Static)),
        new("kepler_node_cpu_usage_ratio", MetricType.Gauge, "ratio", "node_name", "Busy part of all CPUs over the last 5 s; stolen time is not busy.", UsageRatio),
        new("kepler_node_cpu_info", MetricType.Gauge, null, "processor,vendor_id,model_name,physical_id,core_id", "Constant 1 for each CPU.", CpuInfo),
        new("kepler_process_cpu_joules", MetricType.Counter, "joules", "pid,comm,type,state,container_id,vm_id,zone,node_name",
            "Active energy of a process.", (scrape, writer) => Joules(scrape, writer, scrape.Processes, ProcessLabels)),
        new("kepler_process_cpu_watts", MetricType.Gauge, "watts", "pid,comm,type,state,container_id,vm_id,zone,node_name",
            "Active power of a process.", (scrape, writer) => Watts(scrape, writer, scrape.Processes, ProcessLabels)),
        new("kepler_process_cpu_seconds", MetricType.Counter, "seconds", "pid,comm,type,container_id,vm_id,node_name",
            "CPU time of a process.", (scrape, writer) => Seconds(scrape, writer, scrape.Processes, ProcessIdentity)),
        new("kepler_container_cpu_joules", MetricType.Counter, "joules", "container_id,container_name,runtime,state,zone,pod_id,node_name",
            "Active energy of a container.", (scrape, writer) => Joules(scrape, writer, scrape.Containers, ContainerLabels)),
        new("kepler_container_cpu_watts", MetricType.Gauge, "watts", "container_id,container_name,runtime,state,zone,pod_id,node_name",
            "Active power of a container.", (scrape, writer) => Watts(scrape, writer, scrape.Containers, ContainerLabels)),
        new("kepler_container_cpu_seconds", MetricType.Counter, "seconds", "container_id,container_name,runtime,state,pod_id,node_name",
            "CPU time of a container.", (scrape, writer) => Seconds(scrape, writer, scrape.Containers, ContainerLabels)),
        new("kepler_pod_cpu_joules", MetricType.Counter, "joules", "pod_id,pod_name,pod_namespace,state,zone,node_name",
            "Active energy of a pod.", (scrape, writer) => Joules(scrape, writer, scrape.Pods, PodLabels)),
        new("kepler_pod_cpu_watts", MetricType.Gauge, "watts", "pod_id,pod_name,pod_namespace,state,zone,node_name",
            "Active power of a pod.", (scrape, writer) => Watts(scrape, writer, scrape.Pods, PodLabels)),
        new("kepler_vm_cpu_joules", MetricType.Counter, "joules", "vm_id,vm_name,hypervisor,state,zone,node_name",
            "Active energy of a virtual machine.", (scrape, writer) => Joules(scrape, writer, Machines(scrape), MachineLabels)),
        new("kepler_vm_cpu_watts", MetricType.Gauge, "watts", "vm_id,vm_name,hypervisor,state,zone,node_name",
            "Active power of a virtual machine.", (scrape, writer) => Watts(scrape, writer, Machines(scrape), MachineLabels)),
        new("kepler_platform_watts", MetricType.Gauge, "watts", "source,source_id,node_name", "Power of the whole machine.", Platform),
        new("kepler_build_info", MetricType.Gauge, null, "arch,version", "Constant 1; the version is this agent's.",
            (scrape, writer) => writer.Sample().Label("arch", Architecture).Label("version", scrape.Node.Version).Value(1)),
    ];

    private static readonly string Architecture = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        _ => "other",
    };

    // RAPL's zones; energy of other domains has no name in this dialect.
    private static readonly EnergyDomain[] Zones =
        [EnergyDomain.Psys, EnergyDomain.Package, EnergyDomain.Core, EnergyDomain.Uncore, EnergyDomain.Dram];

    private static MetricDefinition Node(string name, string help, Func<MeterTotals, long> figure) =>
        new(name + "_joules", MetricType.Counter, "joules", "zone,path,node_name", help, (scrape, writer) =>
        {
            foreach (EnergyDomain zone in Zones)
            {
                MeterTotals[] meters = Selected(scrape.Ledger, zone);
                if (meters.Length > 0)
                {
                    NodeLabels(scrape, writer.Sample(), zone).Millionths(meters.Sum(figure));
                }
            }
        });

    private static MeterTotals[] Selected(LedgerSnapshot ledger, EnergyDomain zone) => [.. ledger.Meters.Where(meter => meter.Meter.Domain == zone)];

    private static ExpositionWriter NodeLabels(MetricScrape scrape, ExpositionWriter writer, EnergyDomain zone) =>
        writer.Label("zone", zone.Name()).Label("path", scrape.Reports.FirstOrDefault(report => report.Meter.Domain == zone && report.Path?.StartsWith('/') == true)?.Path)
            .Label("node_name", scrape.Node.Host);

    private static void NodeJoules(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (EnergyDomain zone in Zones)
        {
            MeterTotals[] selected = Selected(scrape.Ledger, zone);
            MeterReport[] compared = selected.Length > 0
                ? []
                : [.. scrape.DistinctReports.Where(report => report.Meter.Domain == zone && report.TotalMicrojoules is not null)];
            if (selected.Length + compared.Length > 0)
            {
                NodeLabels(scrape, writer.Sample(), zone)
                    .Millionths(selected.Sum(meter => meter.Total) + compared.Sum(report => report.TotalMicrojoules!.Value));
            }
        }
    }

    private static void NodeWatts(MetricScrape scrape, ExpositionWriter writer, Func<MeterTotals, long> figure)
    {
        foreach (EnergyDomain zone in Zones)
        {
            MeterTotals[] now = Selected(scrape.Ledger, zone);
            if (now.Length > 0 && scrape.EarlierLedger is { } earlier)
            {
                long energy = now.Sum(figure) - Selected(earlier, zone).Sum(figure);
                NodeLabels(scrape, writer.Sample(), zone).Value(energy / 1e6 / scrape.SecondsSinceEarlier);
            }
        }
    }

    private static void Joules(
        MetricScrape scrape, ExpositionWriter writer, ConsumerTotals[] consumers, Action<MetricScrape, ExpositionWriter, ConsumerTotals> labels)
    {
        foreach (ConsumerTotals consumer in Distinct(consumers))
        {
            foreach (EnergyDomain zone in Zones)
            {
                if (Sum(scrape.Ledger, consumer, zone) is { } energy)
                {
                    labels(scrape, writer.Sample(), consumer);
                    writer.Label("zone", zone.Name()).Label("node_name", scrape.Node.Host).Millionths(energy);
                }
            }
        }
    }

    private static void Watts(
        MetricScrape scrape, ExpositionWriter writer, ConsumerTotals[] consumers, Action<MetricScrape, ExpositionWriter, ConsumerTotals> labels)
    {
        if (scrape.EarlierLedger is null)
        {
            return;
        }

        foreach (ConsumerTotals consumer in Distinct(consumers))
        {
            ConsumerTotals? earlier = scrape.Earlier(consumer);
            foreach (EnergyDomain zone in Zones)
            {
                if (Sum(scrape.Ledger, consumer, zone) is { } energy)
                {
                    long before = earlier is null ? 0 : Sum(scrape.EarlierLedger, earlier, zone) ?? 0;
                    labels(scrape, writer.Sample(), consumer);
                    writer.Label("zone", zone.Name()).Label("node_name", scrape.Node.Host).Value((energy - before) / 1e6 / scrape.SecondsSinceEarlier);
                }
            }
        }
    }

    private static void Seconds(
        MetricScrape scrape, ExpositionWriter writer, ConsumerTotals[] consumers, Action<MetricScrape, ExpositionWriter, ConsumerTotals> labels)
    {
        foreach (ConsumerTotals consumer in Distinct(consumers))
        {
            labels(scrape, writer.Sample(), consumer);
            writer.Label("node_name", scrape.Node.Host).Billionths(consumer.CpuNanoseconds);
        }
    }

    // The dialect tells processes apart by pid alone: of those that had one pid in turn, the newest is shown.
    private static IEnumerable<ConsumerTotals> Distinct(ConsumerTotals[] consumers) => consumers.Length == 0 || consumers[0].Kind != ConsumerKind.Process
        ? consumers
        : consumers.GroupBy(process => process.Pid).Select(same => same.MaxBy(process => process.StartNanoseconds)!);

    private static long? Sum(LedgerSnapshot ledger, ConsumerTotals consumer, EnergyDomain zone)
    {
        long? sum = null;
        for (int meter = 0; meter < ledger.Meters.Length; meter++)
        {
            if (ledger.Meters[meter].Meter.Domain == zone)
            {
                sum = (sum ?? 0) + consumer.Active[meter];
            }
        }

        return sum;
    }

    private static string State(ConsumerTotals consumer) => consumer.Ended ? "terminated" : "running";

    private static void ProcessIdentity(MetricScrape scrape, ExpositionWriter writer, ConsumerTotals process) =>
        writer.Label("pid", process.Pid).Label("comm", process.Name).Label("type", process.Machine is not null ? "vm" : process.Container is null ? "regular" : "container")
            .Label("container_id", process.Container).Label("vm_id", process.Machine);

    private static void ProcessLabels(MetricScrape scrape, ExpositionWriter writer, ConsumerTotals process)
    {
        ProcessIdentity(scrape, writer, process);
        _ = writer.Label("state", State(process));
    }

    private static void ContainerLabels(MetricScrape scrape, ExpositionWriter writer, ConsumerTotals container)
    {
        ContainerName? name = scrape.Parts.Names.Container(container.Id);
        _ = writer.Label("container_id", container.Id).Label("container_name", name?.Name).Label("runtime", name?.Runtime)
            .Label("state", State(container)).Label("pod_id", container.PodUid);
    }

    private static void PodLabels(MetricScrape scrape, ExpositionWriter writer, ConsumerTotals pod)
    {
        PodName? name = scrape.Parts.Names.Pod(pod.Id);
        _ = writer.Label("pod_id", pod.Id).Label("pod_name", name?.Name).Label("pod_namespace", name?.Namespace).Label("state", State(pod));
    }

    private static ConsumerTotals[] Machines(MetricScrape scrape) => [.. scrape.Machines.Select(machine => machine.Machine)];

    // As the dialect has it, which knows no other.
    private static void MachineLabels(MetricScrape scrape, ExpositionWriter writer, ConsumerTotals machine)
    {
        MachineTotals totals = scrape.Machines.First(other => ReferenceEquals(other.Machine, machine)).Totals;
        _ = writer.Label("vm_id", machine.Id).Label("vm_name", totals.Name).Label("hypervisor", "kvm").Label("state", totals.Running ? "running" : "terminated");
    }

    private static void UsageRatio(MetricScrape scrape, ExpositionWriter writer)
    {
        if (scrape.Node.Counters?.CpuUsageRatio is { } ratio)
        {
            writer.Sample().Label("node_name", scrape.Node.Host).Value(ratio);
        }
    }

    private static void CpuInfo(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (CpuPlace place in scrape.Ledger.Topology.Cpus)
        {
            writer.Sample().Label("processor", place.Cpu).Label("vendor_id", scrape.Node.CpuVendor).Label("model_name", scrape.Node.CpuModel)
                .Label("physical_id", place.Package).Label("core_id", place.Core).Value(1);
        }
    }

    private static void Platform(MetricScrape scrape, ExpositionWriter writer)
    {
        foreach (MeterReport report in scrape.Reports)
        {
            if (report is { Meter.Domain: EnergyDomain.Platform, Watts: { } watts })
            {
                writer.Sample().Label("source", report.Meter.Origin.Name()).Label("source_id", report.Meter.Id)
                    .Label("node_name", scrape.Node.Host).Value(watts);
            }
        }
    }
}
