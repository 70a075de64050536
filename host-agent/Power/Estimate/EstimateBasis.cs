using System.Collections.Immutable;
using System.Globalization;

namespace Keck.Power;

/// <summary>What an estimate of this machine rests on.</summary>
internal sealed record EstimateBasis
{
    /// <summary>
    /// The published servers were tuned for the benchmark: real ones hold more memory, disks and cards, so that the upper
    /// bound is a third above the highest of them.
    /// </summary>
    internal const double TunedServerFactor = 4.0 / 3;

    /// <summary>What a vendor that is in no row is worth: the bounds of all rows since 2017, once more as wide.</summary>
    internal const double UnknownVendorFactor = 2;

    /// <summary>Median power of an idle hardware thread with its share of the server, µW.</summary>
    public required long IdleMicrowatts { get; init; }

    /// <summary>Median power of a fully loaded hardware thread with its share of the server, µW.</summary>
    public required long FullMicrowatts { get; init; }

    /// <summary>95 % lower bound as a factor on the estimate.</summary>
    public required double LowFactor { get; init; }

    /// <summary>95 % upper bound as a factor on the estimate.</summary>
    public required double HighFactor { get; init; }

    /// <summary>The rows it comes from and why these, for people.</summary>
    public required string Words { get; init; }

    /// <summary>The row of a server CPU that shows itself; null for every other.</summary>
    internal static EstimateRow? Generation(CpuIdentity cpu, ImmutableArray<EstimateRow> table) =>
        IsMasked(cpu) || !IsServer(cpu) ? null : table.FirstOrDefault(row => row.Covers(cpu));

    /// <summary>Chooses the rows for a CPU.</summary>
    internal static EstimateBasis For(CpuIdentity cpu, ImmutableArray<EstimateRow> table)
    {
        ImmutableArray<EstimateRow> vendor = [.. table.Where(row => row.Vendor == cpu.Vendor)];
        EstimateRow? row = vendor.FirstOrDefault(row => row.Covers(cpu));
        string id = $"family {Shown(cpu.Family)} model {Shown(cpu.Model)} stepping {Shown(cpu.Stepping)}";
        if (Generation(cpu, table) is { } known)
        {
            return Of([known], 1, $"{known.Generation}, {known.Results} published servers ({known.Source}, {known.Date:yyyy-MM-dd})", cpu);
        }

        if (!vendor.IsEmpty)
        {
            string why = row is null ? $"{id} is in no row" : IsMasked(cpu) ? $"the hypervisor shows '{cpu.Name}'" : $"'{cpu.Name}' is no server CPU";
            return Of(vendor, 1, $"all rows of {cpu.Vendor}, {vendor.Sum(one => one.Results)} published servers, since {why}", cpu);
        }

        ImmutableArray<EstimateRow> recent = [.. table.Where(one => one.From >= 2017)];
        string unknown = cpu.Vendor.Length > 0 ? $"'{cpu.Vendor}' is in no row" : "the kernel does not name the CPU";
        return Of(recent, UnknownVendorFactor, $"all rows since 2017, {recent.Sum(one => one.Results)} published servers, since {unknown}", cpu);
    }

    /// <summary>
    /// Whether a hypervisor shows a named baseline instead of the real CPU: the true one may be of a later generation.
    /// </summary>
    private static bool IsMasked(CpuIdentity cpu) => cpu.Hypervisor
        && (cpu.Name.Length == 0
            || cpu.Name.StartsWith("QEMU", StringComparison.Ordinal)
            || cpu.Name.StartsWith("Common ", StringComparison.Ordinal)
            || cpu.Name.StartsWith("Intel Xeon Processor", StringComparison.Ordinal)
            || cpu.Name is "AMD EPYC"
            || cpu.Name.StartsWith("AMD EPYC-", StringComparison.Ordinal)
            || cpu.Name.StartsWith("AMD EPYC Processor", StringComparison.Ordinal));

    /// <summary>The rows are of servers; a desktop's CPU shares family and model with some of them.</summary>
    private static bool IsServer(CpuIdentity cpu) =>
        cpu.Name.Contains("Xeon", StringComparison.OrdinalIgnoreCase) || cpu.Name.Contains("EPYC", StringComparison.OrdinalIgnoreCase);

    private static EstimateBasis Of(ImmutableArray<EstimateRow> rows, double widen, string words, CpuIdentity cpu)
    {
        double idle = Median(rows, row => row.Idle.Median);
        double full = Median(rows, row => row.Full.Median);
        WattRange idleRange = rows.Select(row => row.Idle).Aggregate((one, other) => one.Union(other));
        WattRange fullRange = rows.Select(row => row.Full).Aggregate((one, other) => one.Union(other));
        return new EstimateBasis
        {
            IdleMicrowatts = (long)Math.Round(idle * 1e6),
            FullMicrowatts = (long)Math.Round(full * 1e6),
            LowFactor = Math.Min(idleRange.Low / idle, fullRange.Low / full) / widen,
            HighFactor = Math.Max(idleRange.High / idle, fullRange.High / full) * TunedServerFactor * widen,
            Words = cpu.Hypervisor ? $"{words}; in a virtual machine: this machine's own threads, not its host" : words,
        };
    }

    /// <summary>The median of the rows' medians, each counted once per published result.</summary>
    private static double Median(ImmutableArray<EstimateRow> rows, Func<EstimateRow, double> figure)
    {
        int half = (rows.Sum(row => row.Results) + 1) / 2;
        int seen = 0;
        foreach (EstimateRow row in rows.OrderBy(figure))
        {
            seen += row.Results;
            if (seen >= half)
            {
                return figure(row);
            }
        }

        throw new ArgumentException("no rows", nameof(rows));
    }

    private static string Shown(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "?";
}
