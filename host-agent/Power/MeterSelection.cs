using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// Chooses the meters that are attributed: the best per domain and package, and never two that overlap. Measured counters come
/// first, measured gauges next, then a host's budget, the estimate last; then a package (with its memory beside it) before what contains it; then
/// the rank.
/// </summary>
internal static class MeterSelection
{
    /// <summary>Domains that can be attributed to threads, first choice first.</summary>
    private static readonly EnergyDomain[] Preference =
        [
            EnergyDomain.Vcpu, EnergyDomain.Overhead, EnergyDomain.Static,
            EnergyDomain.Package, EnergyDomain.Dram, EnergyDomain.Psys, EnergyDomain.Core, EnergyDomain.Uncore, EnergyDomain.Platform,
        ];

    /// <summary>Marks every meter as selected, or says why not.</summary>
    /// <param name="meters">What the sources found.</param>
    /// <param name="problems">By meter: why it has no value now, or null.</param>
    /// <param name="ids">By meter: its final id.</param>
    internal static ImmutableArray<Meter> Choose(ImmutableArray<SourceMeter> meters, ReadOnlySpan<MeterProblem?> problems, ImmutableArray<string> ids)
    {
        Meter[] chosen = [.. meters.Select((meter, index) => meter.Meter with { Id = ids[index] })];
        List<Meter> selected = [];
        foreach (int index in Order(meters))
        {
            Meter meter = chosen[index];
            string? because =
                Array.IndexOf(Preference, meter.Domain) < 0 ? $"energy of {meter.Domain.Name()} is shown and not attributed"
                : problems[index] is { } problem ? $"no value: {problem.What}"
                : selected.Find(other => Overlap(other, meter)) is { } other ? Overlapping(meter, other)
                : null;
            chosen[index] = meter with
            {
                Selected = because is null,
                NotSelectedBecause = because,

                // What is attributed of a gauge is its power held over time.
                Quality = because is null && meters[index].Gauge ? ReadingQuality.Derived : meter.Quality,
            };
            if (because is null)
            {
                selected.Add(chosen[index]);
            }
        }

        return [.. chosen];
    }

    /// <summary>
    /// Unique ids: the best of those that share one keeps it (<c>package-0</c>), the others carry their origin
    /// (<c>package-0-estimate</c>), and a number where even that is shared.
    /// </summary>
    /// <param name="meters">The meters.</param>
    /// <param name="inUse">Ids of meters that were there before and keep them.</param>
    internal static ImmutableArray<string> NameAll(ImmutableArray<SourceMeter> meters, ImmutableArray<string> inUse)
    {
        string[] ids = new string[meters.Length];
        HashSet<string> taken = new(inUse, StringComparer.Ordinal);
        foreach (int index in Order(meters).OrderBy(index => meters[index].Problem is not null))
        {
            Meter meter = meters[index].Meter;
            string id = meter.Id;
            for (int copy = 1; !taken.Add(id); copy++)
            {
                id = copy == 1 ? $"{meter.Id}-{meter.Origin.Name()}" : $"{meter.Id}-{meter.Origin.Name()}-{copy}";
            }

            ids[index] = id;
        }

        return [.. ids];
    }

    /// <summary>Whether two meters measure, in part, the same energy. A host's budget is the whole machine's, cut into counters that are apart.</summary>
    internal static bool Overlap(Meter one, Meter other) => IsBudget(one) || IsBudget(other)
        ? IsBudget(one) != IsBudget(other) || (one.Id == other.Id && one.Domain == other.Domain)
        : (one.Domain == other.Domain || EnergyDomains.Contains(one.Domain, other.Domain) || EnergyDomains.Contains(other.Domain, one.Domain))
        && (one.Package is null || other.Package is null || one.Package == other.Package)
        && (one.Core is null || other.Core is null || one.Core == other.Core);

    private static bool IsBudget(Meter meter) => meter.Origin == EnergyOrigin.Budget;

    private static IOrderedEnumerable<int> Order(ImmutableArray<SourceMeter> meters) =>
        Enumerable.Range(0, meters.Length)
            .OrderBy(index => meters[index].Meter.Quality is not ReadingQuality.Measured ? 2 : meters[index].Gauge ? 1 : 0)
            .ThenBy(index => (uint)Array.IndexOf(Preference, meters[index].Meter.Domain))
            .ThenBy(index => meters[index].Rank)
            .ThenBy(index => index);

    private static string Overlapping(Meter meter, Meter selected) =>
        IsBudget(meter) != IsBudget(selected) ? $"the same energy as {selected.Id} ({selected.Origin.Name()}, {selected.Quality.Name()}), which is selected: a budget is of the whole machine" :
        meter.Domain == selected.Domain ? $"{selected.Id} ({selected.Origin.Name()}, {selected.Quality.Name()}) measures the same and is better"
        : EnergyDomains.Contains(meter.Domain, selected.Domain) ? $"contains {selected.Id}, which is selected"
        : $"inside {selected.Id}, which is selected";
}
