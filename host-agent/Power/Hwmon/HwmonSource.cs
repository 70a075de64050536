using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// Energy (µJ) and power (µW) inputs of <c>class/hwmon</c>. A read may go over I²C or ACPI and take long, hence the medium tier.
/// </summary>
internal sealed class HwmonSource : IEnergySource
{
    private readonly ImmutableArray<(CounterMeter? Counter, HwmonGauge? Gauge)> _inputs;

    private HwmonSource(ImmutableArray<SourceMeter> meters, ImmutableArray<(CounterMeter?, HwmonGauge?)> inputs)
    {
        Meters = meters;
        _inputs = inputs;
        int working = meters.Count(meter => meter.Problem is null);
        IEnumerable<string> faults = meters.Where(meter => meter.Problem is not null).Select(meter => meter.Problem!.What);
        Finding = meters.IsEmpty
            ? new("hwmon", false, "no energy or power input of hwmon")
            : new("hwmon", working > 0, string.Join("; ", faults.Prepend($"{meters.Length} inputs, {working} with readings")))
            {
                Needs = "read permission on the inputs (0444; amd_energy: 0400)",
            };
    }

    /// <inheritdoc/>
    public string Name => "hwmon";

    /// <inheritdoc/>
    public MeterTier Tier => MeterTier.Medium;

    /// <inheritdoc/>
    public ImmutableArray<SourceMeter> Meters { get; }

    /// <inheritdoc/>
    public SourceFinding Finding { get; }

    /// <summary>Finds the inputs.</summary>
    internal static HwmonSource Discover(PowerEnvironment environment)
    {
        string root = Path.Combine(environment.Options.SysRoot, "class", "hwmon");
        List<SourceMeter> meters = [];
        List<(CounterMeter?, HwmonGauge?)> inputs = [];
        foreach (string device in environment.Files.List(root))
        {
            string directory = Path.Combine(root, device);
            IReadOnlyList<string> names = environment.Files.List(directory);
            string chip = environment.Files.ReadText(Path.Combine(directory, "name")).Text;
            foreach (string name in names)
            {
                if (Kind(name, names) is not { } kind)
                {
                    continue;
                }

                string label = environment.Files.ReadText(Path.Combine(directory, name[..name.IndexOf('_', StringComparison.Ordinal)] + "_label")).Text;
                EnergyDomain domain = HwmonChips.DomainOf(chip, label);
                if (MeterOf(environment, domain, label) is not { } meter)
                {
                    continue;
                }

                string path = Path.Combine(directory, name);
                int maxWatts = domain is EnergyDomain.Package or EnergyDomain.Core or EnergyDomain.Uncore
                    ? environment.Options.MaxPackageWatts
                    : environment.Options.MaxPlatformWatts;
                ICounterFile file = environment.Files.Open(path);
                bool mayBeZero = domain is not (EnergyDomain.Platform or EnergyDomain.Package);
                CounterMeter? counter = kind is 'e'
                    ? new(file, path, null, maxWatts, meter.Package, "let the agent's group read it, or give it CAP_DAC_READ_SEARCH", environment.Clock)
                    : null;
                HwmonGauge? gauge = kind is 'p' ? new(file, path, maxWatts, mayBeZero, environment.Clock) : null;
                inputs.Add((counter, gauge));
                meters.Add(new SourceMeter(meter, $"class/hwmon/{device}/{name}{Words(chip, label)}")
                {
                    Gauge = gauge is not null,
                    Rank = 3,
                    Problem = counter is null ? gauge!.InitialProblem : counter.InitialProblem,
                });
            }
        }

        return new HwmonSource([.. meters], [.. inputs]);
    }

    /// <inheritdoc/>
    public void Read(in ReadContext context, Span<MeterReport> reports)
    {
        for (int i = 0; i < _inputs.Length; i++)
        {
            _inputs[i].Counter?.Read(in context, ref reports[i]);
            _inputs[i].Gauge?.Read(ref reports[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((CounterMeter? counter, HwmonGauge? gauge) in _inputs)
        {
            counter?.Dispose();
            gauge?.Dispose();
        }
    }

    /// <summary>'e' for an energy counter, 'p' for a power gauge (its average where it has one), null for another file.</summary>
    private static char? Kind(string name, IReadOnlyList<string> names)
    {
        int line = name.IndexOf('_', StringComparison.Ordinal);
        if (line < 0)
        {
            return null;
        }

        (string head, string tail) = (name[..line], name[(line + 1)..]);
        if (head.StartsWith("energy", StringComparison.Ordinal) && IsNumber(head.AsSpan(6)))
        {
            return tail == "input" ? 'e' : null;
        }

        return !head.StartsWith("power", StringComparison.Ordinal) || !IsNumber(head.AsSpan(5)) ? null
            : tail == "average" || tail == "input" && !names.Contains(head + "_average") ? 'p'
            : null;
    }

    /// <summary>The meter of an input; null where its label names a core or package that is not here.</summary>
    private static Meter? MeterOf(PowerEnvironment environment, EnergyDomain domain, string label)
    {
        Topology topology = environment.Topology.Topology;
        int? package = null;
        int? core = null;
        int digits = label.AsSpan().IndexOfAnyInRange('0', '9');
        int? number = digits >= 0 && int.TryParse(label.AsSpan(digits), NumberStyles.None, CultureInfo.InvariantCulture, out int parsed) ? parsed : null;
        if (domain is EnergyDomain.Package)
        {
            package = environment.Topology.PackageOf(number ?? 0, null);
            if (package is null)
            {
                return null;
            }
        }
        else if (domain is EnergyDomain.Core && number is { } ordinal)
        {
            // amd_energy counts cores through all sockets, as our numbers do.
            CpuPlace? place = topology.Cpus.Select(cpu => (CpuPlace?)cpu).FirstOrDefault(cpu => cpu!.Value.Core == ordinal);
            if (place is null)
            {
                return null;
            }

            (package, core) = (place.Value.Package, ordinal);
        }
        else if (domain is EnergyDomain.Core or EnergyDomain.Uncore)
        {
            package = 0;
        }

        return new Meter
        {
            Id = core is not null ? $"core-{package}-{core}" : package is not null ? $"{domain.Name()}-{package}" : domain.Name(),
            Domain = domain,
            Package = package,
            Core = core,
            Origin = EnergyOrigin.Hwmon,
            Quality = ReadingQuality.Measured,
        };
    }

    private static string Words(string chip, string label) =>
        (chip, label) switch
        {
            ("", "") => "",
            (_, "") => $" ({chip})",
            _ => $" ({chip} {label})",
        };

    private static bool IsNumber(ReadOnlySpan<char> text) => !text.IsEmpty && text.IndexOfAnyExceptInRange('0', '9') < 0;
}
