using System.Collections.Immutable;

namespace Keck.Agent;

/// <summary>
/// How much the ring store holds. Its memory is bounded by <see cref="MaxBytes"/>: storage is taken as series come and is
/// reused, never freed, so that it stays flat after warm-up.
/// </summary>
public sealed record HistoryLayout
{
    /// <summary>Bytes of a series' entry in tables and indexes: keys, dictionary entry, array header.</summary>
    internal const int EntryBytes = 136;

    // More than any host has, those that are gone included.
    private const int MostMachines = 5_000;

    /// <summary>The last minute of every consumer: fine enough for <c>top</c>, long enough for the default window.</summary>
    internal static ImmutableArray<RingTier> RecentTiers { get; } = [new(1, 7), new(10, 8)];

    /// <summary>Every record (5 s) for 10 min, 10 s for 20 min, 1 min for 4 h of 48 series; the last minute of 1,500: at most 1.8 MB.</summary>
    public static HistoryLayout Minimal { get; } = new()
    {
        Tiers = [new(1, 120), new(10, 120), new(60, 240)],
        Series = 48,
        RecentSeries = 1_500,
    };

    /// <summary>1 s for 5 min, 10 s for 2 h, 1 min for 24 h of 200 series; the last minute of 12,000: at most 19 MB.</summary>
    public static HistoryLayout Standard { get; } = new()
    {
        Tiers = [new(1, 300), new(10, 720), new(60, 1440)],
        Series = 200,
        RecentSeries = 12_000,
    };

    /// <summary>1 s for 10 min, 10 s for 2 h, 1 min for 24 h of 1,000 series; the last minute of 110,000: at most 134 MB.</summary>
    public static HistoryLayout Full { get; } = new()
    {
        Tiers = [new(1, 600), new(10, 720), new(60, 1440)],
        Series = 1_000,
        RecentSeries = 110_000,
    };

    /// <summary>The resolutions, finest first; steps are multiples of each other.</summary>
    public required ImmutableArray<RingTier> Tiers { get; init; }

    /// <summary>Series kept at all resolutions: meters first, then the top consumers of every kind.</summary>
    public required int Series { get; init; }

    /// <summary>Consumers whose last minute is kept; more than the profile's processes, since cgroups and containers count too.</summary>
    public required int RecentSeries { get; init; }

    /// <summary>The most memory the store takes, bytes.</summary>
    public long MaxBytes =>
        (Series * ((Rows(Tiers) * RingSet.LongLanes * 8L) + EntryBytes))
        + (Series * SeriesRanking.AllocatedPart / 100 * Rows(Tiers) * 8L)
        + (RecentSeries * ((Rows(RecentTiers) * RingSet.RecentLanes * 8L) + EntryBytes))
        + (Math.Min(RecentSeries, MostMachines) * Rows(RecentTiers) * 8L)
        + ((Rows(Tiers) + Rows(RecentTiers)) * 8L);

    private static int Rows(ImmutableArray<RingTier> tiers) => tiers.Sum(tier => tier.Rows);
}
