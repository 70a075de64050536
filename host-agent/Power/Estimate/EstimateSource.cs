using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// What a machine without sensors is likely to draw: coefficients of its CPU generation times utilisation. The estimate is
/// of <c>platform</c>; <c>package-N</c> and <c>dram-N</c> are derived from it and add up to it, so a derived package holds
/// what has no meter of its own too: board, fans, power supply.
/// </summary>
internal sealed class EstimateSource : IEnergySource
{
    private static readonly MeterProblem NoCpus = new(
        Absence.Stale, "the CPU time of this tick is not known, so there is nothing to estimate from");

    private readonly ImmutableArray<EstimateModel> _packages;
    private readonly bool _memory;
    private bool _wentWithout;
    private readonly int[] _threads;
    private readonly long[] _busy;

    private EstimateSource(ImmutableArray<SourceMeter> meters, ImmutableArray<EstimateModel> packages, bool memory, SourceFinding finding)
    {
        Meters = meters;
        Finding = finding;
        _packages = packages;
        _memory = memory;
        _threads = new int[packages.Length];
        _busy = new long[packages.Length];
    }

    /// <inheritdoc/>
    public string Name => "estimate";

    /// <inheritdoc/>
    public MeterTier Tier => MeterTier.Fast;

    /// <summary>The platform first, then package and dram of each package.</summary>
    public ImmutableArray<SourceMeter> Meters { get; }

    /// <inheritdoc/>
    public SourceFinding Finding { get; }

    /// <summary>Chooses the coefficients for this machine.</summary>
    internal static EstimateSource Discover(PowerEnvironment environment)
    {
        if (!environment.Options.Estimate)
        {
            return new EstimateSource([], [], false, new("estimate", false, "switched off"));
        }

        Topology topology = environment.Topology.Topology;
        if (topology.Cpus.IsEmpty)
        {
            return new EstimateSource([], [], false, new("estimate", false, environment.Topology.Problem?.What ?? "no CPU is known"));
        }

        EstimateBasis basis = EstimateBasis.For(environment.Cpu, EstimateTable.Load());
        long memory = MemoryKibibytes(environment);
        int packageCount = topology.PackageCount;
        int[] threads = new int[packageCount];
        foreach (CpuPlace place in topology.Cpus)
        {
            threads[place.Package]++;
        }

        ImmutableArray<EstimateModel> models =
            [.. threads.Select(count => new EstimateModel(basis, (long)((Int128)memory * count / topology.Cpus.Length)))];
        List<SourceMeter> meters =
        [
            MeterOf("platform", EnergyDomain.Platform, null, ReadingQuality.Estimated, basis, basis.LowFactor, basis.HighFactor,
                basis.IdleMicrowatts * topology.Cpus.Length / 1e6),
        ];
        for (int package = 0; package < packageCount; package++)
        {
            meters.Add(MeterOf($"package-{package}", EnergyDomain.Package, package, ReadingQuality.Derived, basis,
                basis.LowFactor, basis.HighFactor, models[package].IdlePackageWatts(threads[package])));
            if (memory > 0)
            {
                // 0.3 to 0.4 W a GB around the 0.35 that is taken, or the whole estimate's own bounds where those are wider.
                meters.Add(MeterOf($"dram-{package}", EnergyDomain.Dram, package, ReadingQuality.Derived, basis,
                    Math.Min(basis.LowFactor, 0.30 / 0.35), Math.Max(basis.HighFactor, 0.40 / 0.35), models[package].IdleDramWatts(threads[package])));
            }
        }

        string bounds = string.Create(CultureInfo.InvariantCulture,
            $"{topology.Cpus.Length} threads, {basis.IdleMicrowatts / 1e6:0.00} W idle to {basis.FullMicrowatts / 1e6:0.00} W busy each, bounds ×{basis.LowFactor:0.00} to ×{basis.HighFactor:0.00}");
        return new EstimateSource([.. meters], models, memory > 0, new("estimate", true, $"{bounds}: {basis.Words}"));
    }

    /// <inheritdoc/>
    public void Read(in ReadContext context, Span<MeterReport> reports)
    {
        MonotonicSpan interval = new(context.EndNanoseconds - context.StartNanoseconds);
        if (reports.IsEmpty || interval.Nanoseconds <= 0)
        {
            return; // Switched off, or the starting point of the count.
        }

        if (context.Cpus.IsEmpty && !_wentWithout)
        {
            _wentWithout = true;
            return; // The run source may need a tick to start its own count from.
        }

        if (context.Cpus.IsEmpty)
        {
            foreach (ref MeterReport report in reports)
            {
                report.SetAbsent(NoCpus, context.EndNanoseconds);
            }

            return;
        }

        Gather(in context);
        Microjoules platform = Microjoules.Zero;
        int next = 1;
        for (int package = 0; package < _packages.Length; package++)
        {
            (Microjoules rest, Microjoules dram) = _packages[package].Sample(_threads[package], interval, new CpuTime(_busy[package]));
            platform += rest + dram;
            reports[next++].SetEnergy(rest.Value, context.EndNanoseconds);
            if (_memory)
            {
                reports[next++].SetEnergy(dram.Value, context.EndNanoseconds);
            }
        }

        reports[0].SetEnergy(platform.Value, context.EndNanoseconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>Threads online and time worked by package; a CPU that went offline draws no idle power any more.</summary>
    private void Gather(in ReadContext context)
    {
        Array.Clear(_threads);
        Array.Clear(_busy);
        foreach (CpuPlace place in context.Topology.Cpus)
        {
            if (place.Package < _threads.Length)
            {
                _threads[place.Package]++;
            }
        }

        foreach (ref readonly CpuSample cpu in context.Cpus)
        {
            if (context.Topology.Place(cpu.Cpu) is { } place && place.Package < _busy.Length)
            {
                _busy[place.Package] += cpu.BusyNanoseconds + cpu.InterruptNanoseconds;
            }
        }
    }

    private static SourceMeter MeterOf(
        string id, EnergyDomain domain, int? package, ReadingQuality quality, EstimateBasis basis, double low, double high, double idleWatts) =>
        new(
            new Meter
            {
                Id = id,
                Domain = domain,
                Package = package,
                Origin = EnergyOrigin.Estimate,
                Quality = quality,
                LowFactor = low,
                HighFactor = high,
                KnownStaticWatts = idleWatts,
            },
            domain is EnergyDomain.Platform ? basis.Words : "its part of the platform's estimate")
        {
            Rank = 9,
        };

    /// <summary>MemTotal; 0 where unknown.</summary>
    private static long MemoryKibibytes(PowerEnvironment environment)
    {
        string text = environment.Files.ReadText(Path.Combine(environment.Options.ProcRoot, "meminfo")).Text;
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith("MemTotal:", StringComparison.Ordinal))
            {
                string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                return words.Length > 1 && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out long kibibytes) ? kibibytes : 0;
            }
        }

        return 0;
    }
}
