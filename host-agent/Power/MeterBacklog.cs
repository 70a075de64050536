using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// What a counter counted while neither it nor a meter in its place was attributed. When the counter is selected, that energy
/// is exact and its runs are not known: it goes with the next sample as unattributable, and nothing is lost by a switch.
/// </summary>
internal sealed class MeterBacklog
{
    // Ticks after which a meter that has values again, and was not selected, is an ordinary unselected one.
    private const int Lost = 2;

    private readonly ImmutableArray<SourceMeter> _found;
    private readonly int[][] _overlapping;
    private readonly long[] _booked;
    private readonly long[] _bookedMoving;
    private readonly long[] _due;
    private readonly long[] _totals;
    private readonly int[] _lost;

    /// <param name="found">The meters.</param>
    /// <param name="before">The backlog of the first of them, where the set has grown; null at the start.</param>
    internal MeterBacklog(ImmutableArray<SourceMeter> found, MeterBacklog? before = null)
    {
        _found = found;
        _overlapping =
        [
            .. Enumerable.Range(0, found.Length).Select(one => Enumerable.Range(0, found.Length)
                .Where(other => other == one || MeterSelection.Overlap(found[one].Meter, found[other].Meter)).ToArray()),
        ];
        _booked = Grown(before?._booked, found.Length);
        _bookedMoving = Grown(before?._bookedMoving, found.Length);
        _due = Grown(before?._due, found.Length);
        _totals = Grown(before?._totals, found.Length);
        _lost = Grown(before?._lost, found.Length);
    }

    /// <summary>Ends a tick: what a selected meter counted is booked, and with it what those that overlap it count.</summary>
    internal void EndTick(ImmutableArray<Meter> meters, ImmutableArray<MeterRecord> records)
    {
        for (int i = 0; i < meters.Length; i++)
        {
            _lost[i] = records[i].Unhealthy is not null ? Lost : Math.Max(0, _lost[i] - 1);
        }

        for (int i = 0; i < meters.Length; i++)
        {
            long counted = records[i].Total - _totals[i];
            _totals[i] = records[i].Total;
            if (!meters[i].Selected || records[i].Problem is not null || records[i].ReadNanoseconds is null)
            {
                continue;
            }

            foreach (int other in _overlapping[i])
            {
                Book(other, Covers(i, other) ? records[other].Total : _booked[other] + counted, moved: counted > 0 || _found[i].Gauge);
            }
        }
    }

    /// <summary>A meter was selected: what it counted since it was last booked, by itself or by whom it takes over from, is due.</summary>
    internal void Select(int index, ImmutableArray<Meter> before, ImmutableArray<MeterRecord> records)
    {
        if (_found[index].Gauge)
        {
            return;
        }

        // Who stood still said 0 µJ for seconds before it was found out: what happened in these is due as well.
        bool stuck = _overlapping[index].Any(other => other != index && before[other].Selected && records[other].Unhealthy?.Reason is Absence.Stale);
        long due = Math.Max(0, records[index].Total - (stuck ? _bookedMoving[index] : _booked[index]));
        _due[index] = due;
        _lost[index] = 0;
        foreach (int other in _overlapping[index])
        {
            Book(other, Covers(index, other) ? records[other].Total : _booked[other] + due, moved: true);
        }
    }

    /// <summary>Takes what is due, µJ; 0 as a rule.</summary>
    internal long Take(int index)
    {
        long due = _due[index];
        _due[index] = 0;
        return due;
    }

    // A part (core) that stands in for a lost whole (package) has booked no more than it counted itself.
    private bool Covers(int one, int other) =>
        _lost[other] == 0 || !EnergyDomains.Contains(_found[other].Meter.Domain, _found[one].Meter.Domain);

    private void Book(int index, long total, bool moved)
    {
        _booked[index] = total;
        _bookedMoving[index] = moved ? total : _bookedMoving[index];
    }

    private static T[] Grown<T>(T[]? from, int length)
    {
        T[] to = new T[length];
        from?.CopyTo(to, 0);
        return to;
    }
}
