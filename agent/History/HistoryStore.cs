using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// The ring store: cumulative energy by series in fixed memory, at several resolutions. Power over any window is a difference
/// of two cumulative values over the time between them, so rollups are exact. Monotonic time inside; wall time is worked out
/// at the question, so that a step of the wall clock moves the labels and nothing else.
/// </summary>
public sealed class HistoryStore(HistoryLayout initial, TimeProvider time)
{
    /// <summary>Windows up to this long are answered for every consumer, with bounds; longer ones for tracked series.</summary>
    public static readonly TimeSpan RecentWindow = TimeSpan.FromSeconds(60);

    private const long Second = 1_000_000_000;

    private readonly Lock _lock = new();
    private HistoryLayout _layout = initial;
    private RingSet _recent = new(HistoryLayout.RecentTiers, RingSet.RecentLanes, initial.RecentSeries);
    private RingSet _long = new(initial.Tiers, RingSet.LongLanes, initial.Series);
    private SeriesRanking _ranking = new(initial.Series);
    private Guid _epoch;
    private long _now = -1;
    private long _first = -1;
    private long _ahead;
    private long _ranked = -1;
    private LedgerSnapshot? _newer;
    private LedgerSnapshot? _older;

    /// <summary>Series kept at all resolutions.</summary>
    public int Tracked => _long.Count;

    /// <summary>Series let go for others, or because they ended long ago, since the start.</summary>
    public long Evicted { get; private set; }

    /// <summary>Consumers of the last record that found no room, whose power is therefore unknown.</summary>
    public int Untracked { get; private set; }

    /// <summary>Bytes of value storage taken; at most <see cref="HistoryLayout.MaxBytes"/>.</summary>
    public long ValueBytes => _recent.ValueBytes + _long.ValueBytes;

    /// <summary>How much it may hold.</summary>
    public HistoryLayout Layout => Volatile.Read(ref _layout);

    /// <summary>
    /// Takes another size at once: meters and the hungriest series are kept with the newest rows of every resolution; what
    /// finds no room is let go, and counted as <see cref="Evicted"/>.
    /// </summary>
    public void Resize(HistoryLayout layout)
    {
        lock (_lock)
        {
            if (layout == _layout)
            {
                return;
            }

            int before = _long.Count;
            RingSet recent = _recent;
            List<SeriesKey> best = [.. _recent.Keys.OrderBy(key => key.Kind >= SeriesKind.Process).ThenByDescending(key => recent[recent.Find(key)].Rank)];
            List<SeriesKey> tracked = [.. _long.Keys.OrderBy(key => key.Kind >= SeriesKind.Process)
                .ThenByDescending(key => recent.Find(key) is >= 0 and int series ? recent[series].Rank : -1)];
            _recent = _recent.Resized(HistoryLayout.RecentTiers, layout.RecentSeries, best);
            _long = _long.Resized(layout.Tiers, layout.Series, tracked);
            _ranking = new SeriesRanking(layout.Series);
            _layout = layout;
            Evicted += before - _long.Count;
        }
    }

    /// <summary>Takes the ledger's figures of this moment; the engine calls it once a second, or as seldom as the profile says.</summary>
    public void Record(LedgerSnapshot snapshot)
    {
        lock (_lock)
        {
            if (snapshot.Tick == 0 || (snapshot.Epoch == _epoch && snapshot.EndNanoseconds <= _now))
            {
                return;
            }

            if (snapshot.Epoch != _epoch)
            {
                // Counters are comparable within an epoch only.
                _epoch = snapshot.Epoch;
                _recent.Clear();
                _long.Clear();
                _first = snapshot.EndNanoseconds;
                _ranked = -1;
                _newer = _older = null;
            }

            _now = snapshot.EndNanoseconds;

            // Records come some time after the tick's end: the shortest time seen is the nearest to none, and keeps wall times from wandering.
            long clock = Timestamp();
            _ahead = _first == _now ? clock - _now : Math.Min(_ahead, clock - _now);
            _recent.Begin(_now);
            _long.Begin(_now);
            foreach (MeterTotals meter in snapshot.Meters)
            {
                RecordMeter(meter.Meter.Id, snapshot.Meters);
            }

            Untracked = 0;
            foreach (ConsumerTotals consumer in snapshot.Consumers)
            {
                RecordConsumer(consumer);
            }

            if (_ranked < 0 || _now - _ranked >= 10 * Second)
            {
                _ranked = _now;
                Evicted += _ranking.Settle(_recent, _long, _now);
                _older = _newer;
                _newer = snapshot;
            }
        }
    }

    /// <summary>
    /// Energy over the window that ends at the last record; null where it is unknown: no two records yet, a series that was
    /// not kept, or a window beyond a minute for a series that is not tracked.
    /// </summary>
    public WindowEnergy? Energy(SeriesKey key, TimeSpan window)
    {
        lock (_lock)
        {
            return window <= RecentWindow && Energy(_recent, key, window) is { } recent ? recent : Energy(_long, key, window);
        }
    }

    /// <summary>The wall time of a moment on the ledger's clock, by today's wall clock; null before the first record.</summary>
    public DateTimeOffset? WallTime(long nanoseconds)
    {
        lock (_lock)
        {
            return _first < 0 ? null : time.GetUtcNow() - TimeSpan.FromTicks((Now() - nanoseconds) / 100);
        }
    }

    /// <summary>The ledger some ten to twenty seconds before the last record, for power by core or meter; null before there is one.</summary>
    public LedgerSnapshot? Earlier()
    {
        lock (_lock)
        {
            return _older;
        }
    }

    /// <summary>Mean power by step; the steps end at <paramref name="to"/> and reach back to <paramref name="from"/>.</summary>
    /// <param name="kind">The kind of series.</param>
    /// <param name="id">One series of it; null for all.</param>
    /// <param name="from">Start, wall time.</param>
    /// <param name="to">End, wall time.</param>
    /// <param name="step">At least a second.</param>
    /// <param name="policy">Who bears static energy.</param>
    public HistoryAnswer Query(SeriesKind kind, string? id, DateTimeOffset from, DateTimeOffset to, TimeSpan step, IdlePolicy policy)
    {
        lock (_lock)
        {
            int steps = (int)Math.Max(1, (to - from).Ticks / step.Ticks);
            long stepNanoseconds = step.Ticks * 100;
            DateTimeOffset wall = time.GetUtcNow();
            long end = Now() - ((wall - to).Ticks * 100);
            DateTimeOffset[] times = new DateTimeOffset[steps];
            for (int index = 0; index < steps; index++)
            {
                times[index] = to - (step * (steps - 1 - index));
            }

            List<(long Energy, HistorySeries Series)> found = [];
            if (_first >= 0)
            {
                int tier = TierOf(end - (steps * stepNanoseconds), stepNanoseconds);
                foreach (SeriesKey key in _long.Keys)
                {
                    if (key.Kind == kind && (id is null || key.Id == id))
                    {
                        found.Add(Read(_long.Find(key), tier, end, steps, stepNanoseconds, policy));
                    }
                }
            }

            found.Sort((a, b) => a.Energy != b.Energy ? b.Energy.CompareTo(a.Energy) : string.CompareOrdinal(a.Series.Key.Id, b.Series.Key.Id));
            return new HistoryAnswer(times, step, [.. found.Select(item => item.Series)]);
        }
    }

    /// <summary>Id of the newest series of a pid, such as <c>700/1200000000</c>; null where none is kept.</summary>
    internal string? LatestProcess(int pid)
    {
        string start = string.Create(CultureInfo.InvariantCulture, $"{pid}/");
        lock (_lock)
        {
            return _long.Keys.Where(key => key.Kind == SeriesKind.Process && key.Id.StartsWith(start, StringComparison.Ordinal))
                .Select(key => key.Id)
                .MaxBy(id => long.TryParse(id.AsSpan(start.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long began) ? began : -1);
        }
    }

    // The ledger's clock at this moment.
    private long Now() => Timestamp() - _ahead;

    private long Timestamp() => (long)(time.GetTimestamp() * (1e9 / time.TimestampFrequency));

    private int TierOf(long from, long step)
    {
        int tier = _long.TierFor(from);
        while (tier + 1 < _long.Tiers && _long.StepSeconds(tier + 1) * Second <= step && _long.RowCount(tier + 1) > 0
            && _long.TimeOf(tier + 1, 0) <= from)
        {
            tier++;
        }

        return tier;
    }

    private (long Energy, HistorySeries Series) Read(int series, int tier, long end, int steps, long step, IdlePolicy policy)
    {
        double?[] watts = new double?[steps];
        long sum = 0;
        int before = _long.RowAt(tier, end - (steps * step));
        for (int index = 0; index < steps; index++)
        {
            int row = _long.RowAt(tier, end - ((steps - 1 - index) * step));
            if (before >= 0 && row > before)
            {
                long a = Cell(_long, series, tier, before, policy);
                long b = Cell(_long, series, tier, row, policy);
                if (a != RingSet.Missing && b != RingSet.Missing)
                {
                    sum += b - a;
                    watts[index] = Math.Round((b - a) * 1e3 / (_long.TimeOf(tier, row) - _long.TimeOf(tier, before)), 6);
                }
            }

            before = row;
        }

        ref RingSet.Series found = ref _long[series];
        return (sum, new HistorySeries(found.Key, found.Name ?? found.Key.Id, watts));
    }

    private static long Cell(RingSet set, int series, int tier, int row, IdlePolicy policy)
    {
        long active = set.Value(series, 0, tier, row);
        return active == RingSet.Missing ? active : active + policy switch
        {
            IdlePolicy.Proportional => set.Value(series, 1, tier, row),
            IdlePolicy.Allocated => set.Allocated(series, tier, row),
            _ => 0,
        };
    }

    private WindowEnergy? Energy(RingSet set, SeriesKey key, TimeSpan window)
    {
        int series = set.Find(key);
        if (series < 0)
        {
            return null;
        }

        long start = _now - (window.Ticks * 100);
        int tier = set.TierFor(start);
        int last = set.RowCount(tier) - 1;
        int row = Math.Max(0, set.RowAt(tier, start));
        if (row + 1 < last && set.TimeOf(tier, row + 1) - start < start - set.TimeOf(tier, row))
        {
            // The nearer of the two rows around the start.
            row++;
        }

        if (set.TimeOf(tier, row) >= _now || set.Value(series, 0, tier, last) == RingSet.Missing)
        {
            return null;
        }

        bool known = set.Value(series, 0, tier, row) != RingSet.Missing;
        if (!known && set[series].Born <= set.TimeOf(tier, row))
        {
            return null;
        }

        double seconds = (_now - set.TimeOf(tier, row)) / 1e9;
        return new WindowEnergy(Difference(0), Difference(1), Allocated(), seconds, set == _recent && key.Kind >= SeriesKind.Process ? Bounds() : null);

        // What was not yet born had used nothing.
        long Difference(int lane) => set.Value(series, lane, tier, last) - (known ? set.Value(series, lane, tier, row) : 0);

        long Allocated() => set.Allocated(series, tier, last) - (known ? set.Allocated(series, tier, row) : 0);

        BoundSample Bounds() => new()
        {
            SystematicBelow = Difference(2),
            SystematicAbove = Difference(3),
            RandomSquare = Difference(4),
        };
    }

    // A series is of an id: where its origin has changed (RAPL after an estimate), that of all its meters together, which never goes back.
    private void RecordMeter(string id, ImmutableArray<MeterTotals> meters)
    {
        long Sum(Func<MeterTotals, long> figure)
        {
            long sum = 0;
            foreach (MeterTotals meter in meters)
            {
                sum += meter.Meter.Id == id ? figure(meter) : 0;
            }

            return sum;
        }

        Record(new(SeriesKind.Domain, id), Sum(static meter => meter.Total), 0);
        Record(new(SeriesKind.Static, id), Sum(static meter => meter.Static), 0);
        Record(
            new(SeriesKind.Idle, id),
            Sum(static meter => meter.IdleSeparate), Sum(static meter => meter.IdleProportional - meter.IdleSeparate), Sum(static meter => meter.IdleAllocated - meter.IdleSeparate));
        Record(new(SeriesKind.System, id), Sum(static meter => meter.SystemActive), Sum(static meter => meter.SystemProportional));
        Record(new(SeriesKind.Unattributed, id), Sum(static meter => meter.UnattributedActive), Sum(static meter => meter.UnattributedProportional));
        Record(
            new(SeriesKind.Departed, id),
            Sum(static meter => meter.DepartedActive), Sum(static meter => meter.DepartedProportional), Sum(static meter => meter.DepartedAllocated));
        if (Sum(static meter => meter.Overhead) is var overhead and > 0)
        {
            Record(new(SeriesKind.Overhead, id), overhead, 0);
        }
    }

    private void Record(SeriesKey key, long active, long proportional, long allocated = 0)
    {
        SetAll(_recent, _recent.FindOrAdd(key, _now), active, proportional, allocated);
        SetAll(_long, _long.FindOrAdd(key, _now), active, proportional, allocated);
    }

    private void RecordConsumer(ConsumerTotals consumer)
    {
        SeriesKey key = SeriesKey.Of(consumer);
        long active = Sum(consumer.Active);
        long proportional = Sum(consumer.Proportional);
        long allocated = consumer.Allocated.IsDefaultOrEmpty ? 0 : Sum(consumer.Allocated);

        // Born after the first record, it had used nothing before; at the first record nobody can tell.
        int series = _recent.FindOrAdd(key, _now == _first ? long.MinValue : _now);
        if (series < 0)
        {
            Untracked++;
        }
        else
        {
            SetAll(_recent, series, active, proportional, allocated);
            _recent.Set(series, 2, (long)consumer.Bounds.SystematicBelow);
            _recent.Set(series, 3, (long)consumer.Bounds.SystematicAbove);
            _recent.Set(series, 4, (long)Math.Min(consumer.Bounds.RandomSquare, long.MaxValue / 2));
            _recent[series].Name = consumer.Name;
        }

        series = _long.Find(key);
        if (series >= 0)
        {
            SetAll(_long, series, active, proportional, allocated);
            _long[series].Name = consumer.Name;
        }
    }

    // Enumerable.Sum would box the array, for every consumer every second.
    private static long Sum(ImmutableArray<long> parts)
    {
        long sum = 0;
        foreach (long part in parts)
        {
            sum += part;
        }

        return sum;
    }

    private void SetAll(RingSet set, int series, long active, long proportional, long allocated)
    {
        if (series >= 0)
        {
            set.Set(series, 0, active);
            set.Set(series, 1, proportional);
            set.SetAllocated(series, allocated);
            set[series].LastSeen = _now;
        }
    }
}
