using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Power;

/// <summary>
/// What a counter counted while neither it nor a meter that overlaps it was attributed. When the counter is selected, that
/// energy is exact and its runs are not known: it goes with the next sample as unattributable, and nothing is lost by a switch.
/// </summary>
internal sealed class MeterBacklog
{
    private readonly ImmutableArray<SourceMeter> _found;
    private readonly int[][] _overlapping;
    private readonly long[] _booked;
    private readonly long[] _bookedMoving;
    private readonly long[] _due;

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
    }

    /// <summary>Ends a tick: what a healthy selected meter counts is booked, and with it what those that overlap it count.</summary>
    internal void EndTick(ImmutableArray<Meter> meters, ImmutableArray<MeterRecord> records)
    {
        for (int i = 0; i < meters.Length; i++)
        {
            bool moved = records[i].TakeMoved();
            if (!meters[i].Selected || records[i].Problem is not null || records[i].ReadNanoseconds is null)
            {
                continue;
            }

            foreach (int other in _overlapping[i])
            {
                _booked[other] = records[other].Total;
                _bookedMoving[other] = moved || _found[i].Gauge ? records[other].Total : _bookedMoving[other];
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
        _due[index] = records[index].Total - (stuck ? _bookedMoving[index] : _booked[index]);
    }

    /// <summary>Takes what is due, µJ; 0 as a rule.</summary>
    internal long Take(int index)
    {
        long due = _due[index];
        _due[index] = 0;
        return due;
    }

    private static long[] Grown(long[]? from, int length)
    {
        long[] to = new long[length];
        from?.CopyTo(to, 0);
        return to;
    }
}
