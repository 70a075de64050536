using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// RAPL through powercap: <c>class/powercap/intel-rapl:P[:S]</c> (also on AMD) and its twin over MMIO,
/// <c>intel-rapl-mmio:P</c>, which counts the same energy once more.
/// </summary>
internal sealed class RaplSource : IEnergySource, IMarkedSource
{
    private const string DeniedMend =
        "give the agent CAP_DAC_READ_SEARCH, or its group the file (`keck-host doctor` prints the command)";

    private readonly ImmutableArray<CounterMeter> _counters;

    private RaplSource(ImmutableArray<SourceMeter> meters, ImmutableArray<CounterMeter> counters, SourceFinding finding)
    {
        Meters = meters;
        _counters = counters;
        Finding = finding;
    }

    /// <inheritdoc/>
    public string Name => "rapl";

    /// <inheritdoc/>
    public MeterTier Tier => MeterTier.Fast;

    /// <inheritdoc/>
    public ImmutableArray<SourceMeter> Meters { get; }

    /// <inheritdoc/>
    public SourceFinding Finding { get; }

    /// <summary>Finds the zones.</summary>
    internal static RaplSource Discover(PowerEnvironment environment) => Discover(environment, []);

    /// <summary>Finds the zones that are not among those known by <see cref="SourceMeter.Where"/>: a driver was loaded, or a package came online.</summary>
    internal static RaplSource Discover(PowerEnvironment environment, ImmutableArray<SourceMeter> known)
    {
        string root = Path.Combine(environment.Options.SysRoot, "class", "powercap");
        List<SourceMeter> meters = [];
        List<CounterMeter> counters = [];
        List<string> unusable = [];
        foreach (string zone in environment.Files.List(root))
        {
            if (!zone.StartsWith("intel-rapl", StringComparison.Ordinal) || !zone.Contains(':'))
            {
                continue; // the control types intel-rapl and intel-rapl-mmio themselves, or another vendor's
            }

            if (known.Any(meter => meter.Where == WhereOf(zone)))
            {
                continue;
            }

            if (Describe(environment, root, zone) is not { } meter)
            {
                unusable.Add(zone);
                continue;
            }

            string energyPath = Path.Combine(root, zone, "energy_uj");
            int maxWatts = meter.Domain is EnergyDomain.Psys ? environment.Options.MaxPlatformWatts : environment.Options.MaxPackageWatts;
            FileNumber range = environment.Files.ReadText(Path.Combine(root, zone, "max_energy_range_uj")).Number;
            long? wrap = range is { Fault: FileFault.None, Value: > 0 } ? range.Value : null;
            CounterMeter counter = new(
                environment.Files.Open(energyPath), energyPath, wrap, maxWatts, meter.Package, DeniedMend, environment.Clock);
            counters.Add(counter);
            meters.Add(new SourceMeter(meter with { Quantum = QuantumOf(wrap) }, WhereOf(zone))
            {
                Rank = zone.StartsWith("intel-rapl-mmio", StringComparison.Ordinal) ? 2 : 0,
                Problem = counter.InitialProblem,
            });
        }

        return new RaplSource([.. meters], [.. counters], FindingOf(environment, root, meters, unusable));
    }

    /// <inheritdoc/>
    public void Read(in ReadContext context, Span<MeterReport> reports)
    {
        for (int i = 0; i < _counters.Length; i++)
        {
            _counters[i].Read(in context, ref reports[i]);
        }
    }

    /// <inheritdoc/>
    public (long Microjoules, long Nanoseconds)? Mark(int meter) => _counters[meter].Mark;

    /// <inheritdoc/>
    public void Resume(int meter, long microjoules, long nanoseconds) => _counters[meter].Resume(microjoules, nanoseconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CounterMeter counter in _counters)
        {
            counter.Dispose();
        }
    }

    /// <summary>
    /// The step of the register from its range: the kernel gives (2^32 − 1) × unit, the unit being whole nanojoules
    /// (61,035 or 15,300). Null where the range is no such product.
    /// </summary>
    internal static Microjoules? QuantumOf(long? range)
    {
        if (range is not { } value)
        {
            return null;
        }

        Int128 nanojoules = ((Int128)value * 1_000 + uint.MaxValue - 1) / uint.MaxValue;
        bool matches = nanojoules > 0 && nanojoules * uint.MaxValue / 1_000 == value;
        return matches ? new Microjoules((long)((nanojoules + 500) / 1_000)) : null;
    }

    private static string WhereOf(string zone) => $"class/powercap/{zone}";

    /// <summary>What a zone measures, by its name and, for a sub-zone, its parent's; null where that is not to be told.</summary>
    private static Meter? Describe(PowerEnvironment environment, string root, string zone)
    {
        string name = environment.Files.ReadText(Path.Combine(root, zone, "name")).Text;
        string[] parts = zone.Split(':');
        string parent = parts.Length > 2
            ? environment.Files.ReadText(Path.Combine(root, $"{parts[0]}:{parts[1]}", "name")).Text
            : name;
        EnergyDomain? domain = name switch
        {
            "core" => EnergyDomain.Core,
            "uncore" => EnergyDomain.Uncore,
            "dram" => EnergyDomain.Dram,
            "psys" => EnergyDomain.Psys,
            _ => name.StartsWith("package-", StringComparison.Ordinal) ? EnergyDomain.Package : null,
        };
        if (domain is not { } known)
        {
            return null;
        }

        int? package = known is EnergyDomain.Psys ? null : PackageOf(environment, parent);
        if (known is not EnergyDomain.Psys && package is null)
        {
            return null;
        }

        return new Meter
        {
            Id = package is { } number ? $"{known.Name()}-{number}" : known.Name(),
            Domain = known,
            Package = package,
            Origin = EnergyOrigin.Rapl,
            Quality = ReadingQuality.Measured,
        };
    }

    /// <summary>The package number of <c>package-1</c> or <c>package-1-die-0</c>, which carry the CPUs' physical ids.</summary>
    private static int? PackageOf(PowerEnvironment environment, string name)
    {
        string[] parts = name.Split('-');
        if (parts.Length < 2 || parts[0] != "package" || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int physical))
        {
            return null;
        }

        int? die = parts.Length >= 4 && parts[2] == "die" && int.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;
        return environment.Topology.PackageOf(physical, die);
    }

    private static SourceFinding FindingOf(PowerEnvironment environment, string root, List<SourceMeter> meters, List<string> unusable)
    {
        string leftOut = unusable.Count == 0 ? "" : $"; not understood: {string.Join(", ", unusable)}";
        if (meters.Count == 0)
        {
            bool guest = environment.Cpu.Hypervisor;
            return new("rapl", false, (guest ? "no RAPL zones: a hypervisor gives none to its machines" : $"no RAPL zones under {root}") + leftOut)
            {
                Mends = guest ? [] : ["modprobe intel_rapl_msr"],
            };
        }

        int denied = meters.Count(meter => meter.Problem?.Reason is Absence.NotPermitted);
        int working = meters.Count(meter => meter.Problem is null);
        if (denied > 0)
        {
            return new("rapl", working > 0, $"{meters.Count} zones, {denied} of them unreadable for this process{leftOut}")
            {
                Needs = "read permission on energy_uj (0400 since Linux 5.10), or CAP_DAC_READ_SEARCH",
                Mends =
                [
                    "printf 'z /sys/class/powercap/intel-rapl*:*/energy_uj 0440 root keck\\n' > /etc/tmpfiles.d/keck-rapl.conf && systemd-tmpfiles --create keck-rapl.conf",
                    "setcap cap_dac_read_search+ep \"$(command -v keck-host)\"",
                ],
            };
        }

        string faults = working == meters.Count
            ? ""
            : "; " + string.Join("; ", meters.Where(meter => meter.Problem is not null).Select(meter => meter.Problem!.What));
        return new("rapl", working > 0, $"{meters.Count} zones, {working} with readings{leftOut}{faults}")
        {
            Needs = "read permission on energy_uj (0400 since Linux 5.10), or CAP_DAC_READ_SEARCH",
        };
    }
}
