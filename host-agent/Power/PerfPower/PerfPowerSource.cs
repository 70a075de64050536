using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// RAPL through the kernel's perf PMUs: <c>power</c> (package, core, uncore, dram, psys; one CPU per package in its
/// <c>cpumask</c>) and AMD's <c>power_core</c> (one CPU per core). 64 bits, kept up to date by the kernel: no wrap.
/// </summary>
internal sealed class PerfPowerSource : IEnergySource
{
    private readonly ImmutableArray<PerfMeter> _counters;

    private PerfPowerSource(ImmutableArray<SourceMeter> meters, ImmutableArray<PerfMeter> counters, SourceFinding finding)
    {
        Meters = meters;
        _counters = counters;
        Finding = finding;
    }

    /// <inheritdoc/>
    public string Name => "perf";

    /// <inheritdoc/>
    public MeterTier Tier => MeterTier.Fast;

    /// <inheritdoc/>
    public ImmutableArray<SourceMeter> Meters { get; }

    /// <inheritdoc/>
    public SourceFinding Finding { get; }

    /// <summary>Finds the PMUs and opens every event of theirs.</summary>
    internal static PerfPowerSource Discover(PowerEnvironment environment)
    {
        List<SourceMeter> meters = [];
        List<PerfMeter> counters = [];
        List<string> faults = [];
        bool present = false;
        foreach (string pmu in (ReadOnlySpan<string>)["power", "power_core"])
        {
            string root = Path.Combine(environment.Options.SysRoot, "bus", "event_source", "devices", pmu);
            if (environment.Files.List(root).Count == 0)
            {
                continue;
            }

            present = true;
            DiscoverPmu(environment, pmu, root, meters, counters, faults);
        }

        return new PerfPowerSource([.. meters], [.. counters], FindingOf(present, meters, faults, counters.Count(counter => counter.InitialProblem is null)));
    }

    /// <inheritdoc/>
    public void Read(in ReadContext context, Span<MeterReport> reports)
    {
        for (int i = 0; i < _counters.Length; i++)
        {
            _counters[i].Read(ref reports[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PerfMeter counter in _counters)
        {
            counter.Dispose();
        }
    }

    private static void DiscoverPmu(
        PowerEnvironment environment, string pmu, string root, List<SourceMeter> meters, List<PerfMeter> counters, List<string> faults)
    {
        FileNumber type = environment.Files.ReadText(Path.Combine(root, "type")).Number;
        if (type.Fault != FileFault.None || CpuList.Parse(environment.Files.ReadText(Path.Combine(root, "cpumask")).Text) is not { Length: > 0 } cpus)
        {
            faults.Add($"{root}: its type or cpumask file cannot be understood");
            return;
        }

        foreach (string name in environment.Files.List(Path.Combine(root, "events")))
        {
            if (name.Contains('.') || DomainOf(name) is not { } domain)
            {
                continue;
            }

            string path = Path.Combine(root, "events", name);
            if (ConfigOf(environment.Files.ReadText(path).Text) is not { } config
                || PerfScale.Parse(environment.Files.ReadText(path + ".scale").Text) is not { } scale)
            {
                faults.Add($"{path}: the event or its scale cannot be understood");
                continue;
            }

            foreach (int cpu in cpus)
            {
                if (environment.Topology.Topology.Place(cpu) is not { } place)
                {
                    continue; // offline since: the kernel moves the scope to another CPU and the mask with it
                }

                bool perCore = name == "energy-core";
                bool psys = domain is EnergyDomain.Psys;
                string where = $"perf {pmu}/{name}/ on CPU {cpu}";
                PerfMeter counter = new(
                    environment.Perf.Open((int)type.Value, config, cpu, out Absence reason), reason, scale, where,
                    psys ? environment.Options.MaxPlatformWatts : environment.Options.MaxPackageWatts, environment.Clock);
                counters.Add(counter);
                meters.Add(new SourceMeter(
                    new Meter
                    {
                        Id = perCore ? $"core-{place.Package}-{place.Core}" : psys ? "psys" : $"{domain.Name()}-{place.Package}",
                        Domain = domain,
                        Package = psys ? null : place.Package,
                        Core = perCore ? place.Core : null,
                        Origin = EnergyOrigin.PerfPower,
                        Quality = ReadingQuality.Measured,
                        Quantum = new Microjoules(scale.StepMicrojoules),
                    },
                    where)
                {
                    Rank = 1,
                    Problem = counter.InitialProblem ?? (environment.Cpu.Hypervisor ? counter.NotMoved() : null),
                });
                if (psys)
                {
                    break; // one platform, however many packages can be asked about it
                }
            }
        }
    }

    private static EnergyDomain? DomainOf(string eventName) => eventName switch
    {
        "energy-pkg" => EnergyDomain.Package,
        "energy-cores" or "energy-core" => EnergyDomain.Core,
        "energy-gpu" => EnergyDomain.Uncore,
        "energy-ram" => EnergyDomain.Dram,
        "energy-psys" => EnergyDomain.Psys,
        _ => null,
    };

    /// <summary>The number in <c>event=0x02</c>.</summary>
    private static ulong? ConfigOf(string text) =>
        text.StartsWith("event=0x", StringComparison.Ordinal)
        && ulong.TryParse(text.AsSpan(8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong config)
            ? config
            : null;

    private static SourceFinding FindingOf(bool present, List<SourceMeter> meters, List<string> faults, int open)
    {
        const string needs = "CAP_PERFMON, or kernel.perf_event_paranoid at 0 or below";
        if (!present)
        {
            return new("perf", false, "no perf power PMU: no RAPL, a kernel without CONFIG_PERF_EVENTS_INTEL_RAPL, or a virtual machine") { Needs = needs };
        }

        int working = meters.Count(meter => meter.Problem is null);
        bool denied = meters.Exists(meter => meter.Problem?.Reason is Absence.NotPermitted);
        string more = faults.Count == 0 ? "" : "; " + string.Join("; ", faults);
        string silent = open > working ? ", none of which has counted yet: hypervisors show this PMU and give it no counts" : "";
        return new("perf", working > 0, $"{meters.Count} events, {open} open{silent}{more}")
        {
            Needs = silent.Length > 0 && open == meters.Count ? null : needs,
            Mends = denied ? ["setcap cap_perfmon+ep \"$(command -v keck-host)\"", "sysctl kernel.perf_event_paranoid=0"] : [],
        };
    }
}
