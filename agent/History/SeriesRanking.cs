namespace Keck.Agent;

/// <summary>
/// Decides, every ten seconds, which consumers are kept at all resolutions: of each kind those that used most over the last
/// minute. A newcomer must have used twice what it replaces, so that the set does not flap; series that ended go first.
/// </summary>
internal sealed class SeriesRanking(int capacity)
{
    private const long Second = 1_000_000_000;
    private const int Kinds = (int)SeriesKind.Machine + 1;

    // Room by kind of what the meters leave: processes, cgroups, containers, pods, machines.
    private static readonly double[] Quota = [0.3, 0.2, 0.2, 0.15, 0.15];

    /// <summary>Of the series kept at all resolutions, those that may hold allocated energy: machines, and two of each meter's six; %.</summary>
    internal const int AllocatedPart = 33;

    private readonly List<(long Rank, int Series)> _candidates = [];
    private readonly List<(long Rank, int Series)> _kept = [];

    /// <summary>Settles who is tracked; returns how many series were let go.</summary>
    internal long Settle(RingSet recent, RingSet tracked, long now)
    {
        long evicted = DropEnded(recent, now);
        Rank(recent, now);
        int meters = 0;
        foreach (SeriesKey key in tracked.Keys)
        {
            meters += key.Kind < SeriesKind.Process ? 1 : 0;
        }

        for (SeriesKind kind = SeriesKind.Process; (int)kind < Kinds; kind++)
        {
            int room = (int)((capacity - meters) * Quota[kind - SeriesKind.Process]);
            evicted += Settle(kind, room, recent, tracked, now);
        }

        return evicted;
    }

    // A consumer that left the ledger stays answerable for a window, then its room is free.
    private long DropEnded(RingSet recent, long now)
    {
        _candidates.Clear();
        foreach (SeriesKey key in recent.Keys)
        {
            int series = recent.Find(key);
            if (now - recent[series].LastSeen > 70 * Second)
            {
                _candidates.Add((0, series));
            }
        }

        foreach ((_, int series) in _candidates)
        {
            recent.Remove(series);
        }

        return _candidates.Count;
    }

    private static void Rank(RingSet recent, long now)
    {
        int tier = recent.Tiers - 1;
        int last = recent.RowCount(tier) - 1;
        int first = Math.Max(0, recent.RowAt(tier, now - (60 * Second)));
        foreach (SeriesKey key in recent.Keys)
        {
            int series = recent.Find(key);
            long end = recent.Value(series, 0, tier, last);
            long start = recent.Value(series, 0, tier, first);
            recent[series].Rank = end == RingSet.Missing ? 0 : start == RingSet.Missing || first == last ? end : end - start;
        }
    }

    private long Settle(SeriesKind kind, int room, RingSet recent, RingSet tracked, long now)
    {
        _candidates.Clear();
        _kept.Clear();
        foreach (SeriesKey key in recent.Keys)
        {
            if (key.Kind == kind && tracked.Find(key) < 0)
            {
                int series = recent.Find(key);
                if (recent[series].Rank > 0)
                {
                    _candidates.Add((recent[series].Rank, series));
                }
            }
        }

        foreach (SeriesKey key in tracked.Keys)
        {
            if (key.Kind == kind)
            {
                int series = tracked.Find(key);
                int source = recent.Find(key);

                // Those that ended rank below all, longest ended lowest.
                _kept.Add((source < 0 ? tracked[series].LastSeen - now : recent[source].Rank, series));
            }
        }

        _candidates.Sort(static (a, b) => b.Rank.CompareTo(a.Rank));
        _kept.Sort(static (a, b) => a.Rank.CompareTo(b.Rank));
        long evicted = 0;
        int victim = 0;
        int count = _kept.Count;
        foreach ((long rank, int series) in _candidates)
        {
            if (count >= room)
            {
                if (victim >= _kept.Count || (_kept[victim].Rank >= 0 && rank < 2 * _kept[victim].Rank))
                {
                    break;
                }

                tracked.Remove(_kept[victim++].Series);
                evicted++;
                count--;
            }

            Admit(recent, series, tracked, now);
            count++;
        }

        return evicted;
    }

    private static void Admit(RingSet recent, int source, RingSet tracked, long now)
    {
        int series = tracked.FindOrAdd(recent[source].Key, recent[source].Born);
        if (series < 0)
        {
            return;
        }

        int tier = recent.Tiers - 1;
        int last = recent.RowCount(tier) - 1;
        tracked.Set(series, 0, recent.Value(source, 0, tier, last));
        tracked.Set(series, 1, recent.Value(source, 1, tier, last));
        tracked.SetAllocated(series, recent.Allocated(source, tier, last));
        tracked[series].LastSeen = now;
        tracked[series].Name = recent[source].Name;
    }
}
