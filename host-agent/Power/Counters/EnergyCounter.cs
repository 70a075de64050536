namespace Keck.Power;

/// <summary>
/// Turns a cumulative counter's values into energy, and believes only what can be true: one wrap at most, and never more
/// energy than <paramref name="maxWatts"/> gives over the time that passed. A value that is not believed leaves the baseline
/// alone, so a single glitch loses nothing; two that agree with each other become the new baseline.
/// </summary>
/// <param name="rangeMicrojoules">
/// <c>max_energy_range_uj</c>: what a wrap is worth, as every reader of powercap takes it (the register's own modulus is one
/// step more, so that a wrap may count up to one step, 61 µJ or less, too little); null for a counter that never wraps or
/// whose range is unknown.
/// </param>
/// <param name="maxWatts">The most that its domain can draw.</param>
/// <param name="startsAtZero">Whether it counts from zero when it is opened (perf), so that a first zero is a true value.</param>
internal sealed class EnergyCounter(long? rangeMicrojoules, int maxWatts, bool startsAtZero = false)
{
    /// <summary>Counters are updated about every millisecond and readings jitter: this much time is always allowed for.</summary>
    private const long SlackNanoseconds = 100_000_000;

    /// <summary>
    /// A counter that starts at zero by itself and still reads zero after so long, ns, is taken for dead: RAPL's steps are a millisecond
    /// apart. Should it move after all, nothing is lost: it has counted since it was opened.
    /// </summary>
    internal const long FlatNanoseconds = 50_000_000;

    private (long Value, long At)? _baseline;
    private (long Value, long At)? _suspect;
    private bool _moved;

    /// <summary>When the value that the next energy counts from was read, monotonic, ns.</summary>
    internal long BaselineNanoseconds => _baseline?.At ?? 0;

    /// <summary>The value that the next energy counts from, µJ, and when it was read; null before the first.</summary>
    internal (long Value, long At)? Baseline => _moved ? _baseline : null;

    /// <summary>Counts on from a value of an earlier run.</summary>
    internal void Resume(long value, long at)
    {
        _baseline = (value, at);
        _suspect = null;
        _moved = true;
    }

    /// <summary>Takes the next value.</summary>
    /// <param name="value">The counter, µJ.</param>
    /// <param name="at">When it was read, monotonic, ns.</param>
    internal CounterStep Advance(long value, long at)
    {
        if (rangeMicrojoules is { } limit && value > limit)
        {
            return new(CounterVerdict.OutOfRange, 0);
        }

        if (!_moved && value == 0)
        {
            _baseline ??= (0, at);
            return new(startsAtZero && at - _baseline.Value.At < FlatNanoseconds ? CounterVerdict.Baseline : CounterVerdict.FlatZero, 0);
        }

        if (_baseline is not { } baseline || !_moved && !startsAtZero)
        {
            _moved = true;
            _baseline = (value, at);
            return new(CounterVerdict.Baseline, 0);
        }

        _moved = true;
        double possible = Possible(at - baseline.At, slack: 0);
        if (rangeMicrojoules is { } range && possible > range)
        {
            Rebase(value, at);
            return new(CounterVerdict.Gap, 0);
        }

        long energy = value - baseline.Value;
        bool wrapped = energy < 0 && rangeMicrojoules is not null;
        if (wrapped)
        {
            energy += rangeMicrojoules!.Value;
        }

        if (energy >= 0 && energy <= Possible(at - baseline.At, SlackNanoseconds))
        {
            Rebase(value, at);
            CounterVerdict verdict = wrapped ? CounterVerdict.Wrapped : CounterVerdict.Energy;
            return new(rangeMicrojoules is { } whole && possible > whole / 2 ? CounterVerdict.Late : verdict, energy);
        }

        if (_suspect is { } suspect && value >= suspect.Value
            && value - suspect.Value <= Possible(at - suspect.At, SlackNanoseconds))
        {
            energy = value - suspect.Value;
            Rebase(value, at);
            return new(CounterVerdict.Resumed, energy);
        }

        _suspect = (value, at);
        return new(value < baseline.Value ? CounterVerdict.Reset : CounterVerdict.Jump, 0);
    }

    private void Rebase(long value, long at)
    {
        _baseline = (value, at);
        _suspect = null;
    }

    /// <summary>The most energy that can have passed, µJ: watts × ns / 1000.</summary>
    private double Possible(long nanoseconds, long slack) => maxWatts * (double)(nanoseconds + slack) / 1_000;
}
