namespace Keck.Metering;

/// <summary>What the attributor carries for one selected meter between ticks.</summary>
internal sealed class MeterState(Meter meter, StaticFloorState? floor, IdlePrior? prior)
{
    // A gauge's last reading stands for the power until the next one, but not for ever.
    private const long GaugeHoldNanoseconds = 30_000_000_000;

    private long _tick = -1;
    private long _microjoules;
    private long _milliwatts = Unobserved.Value;
    private long _gaugeReadNanoseconds;
    private long _gaugeRemainder;

    internal Meter Meter { get; } = meter;

    // What is known of a generation is of its packages, not of its memory.
    internal StaticFloor Floor { get; } = new(meter.KnownStaticWatts, floor, meter.Domain.FollowsRuns() ? prior : null);

    internal SpanWeights Span { get; } = new();

    /// <summary>Whether signatures have been learned from it since the start; it is told once, and nothing goes by it.</summary>
    internal bool Signed { get; set; }

    /// <summary>Whether the meter ever said something: before that there is no span to hold.</summary>
    internal bool EverRead { get; private set; }

    /// <summary>Whether this tick's reading covers time in which nothing was observed.</summary>
    internal bool Unattributable { get; private set; }

    internal long ReadNanoseconds { get; private set; }

    /// <summary>What this tick's readings say of their own bounds, µJ.</summary>
    internal (long Below, long Above) Doubt { get; private set; }

    /// <summary>What is carried besides the floor; set to resume.</summary>
    internal MeterCarry Carry
    {
        get => new()
        {
            EverRead = EverRead,
            ReadNanoseconds = ReadNanoseconds,
            Unattributable = Unattributable,
            Milliwatts = _milliwatts,
            GaugeReadNanoseconds = _gaugeReadNanoseconds,
            GaugeRemainderPicojoules = _gaugeRemainder,
            SpanNanoseconds = Span.Nanoseconds,
            SpanBusy = Span.Busy,
            SpanCapacity = Span.Capacity,
            Span = Span.Parts,
        };
        set
        {
            EverRead = value.EverRead;
            ReadNanoseconds = value.ReadNanoseconds;
            Unattributable = value.Unattributable;
            _milliwatts = value.Milliwatts;
            _gaugeReadNanoseconds = value.GaugeReadNanoseconds;
            _gaugeRemainder = value.GaugeRemainderPicojoules;
            Span.Nanoseconds = value.SpanNanoseconds;
            Span.Busy = value.SpanBusy;
            Span.Capacity = value.SpanCapacity;
            Span.Parts = value.Span;
        }
    }

    internal void Take(in MeterSample sample, Observation observation)
    {
        EverRead = true;
        ReadNanoseconds = sample.ReadNanoseconds;
        Unattributable = sample.Unattributable;
        if (sample.Microjoules >= 0)
        {
            bool more = _tick == observation.Tick;
            _microjoules = more ? _microjoules + sample.Microjoules : sample.Microjoules;
            Doubt = more ? (Doubt.Below + sample.Below, Doubt.Above + sample.Above) : (sample.Below, sample.Above);
            _tick = observation.Tick;
        }
        else if (sample.Milliwatts >= 0)
        {
            Doubt = (sample.Below, sample.Above);
            _milliwatts = sample.Milliwatts;
            _gaugeReadNanoseconds = sample.ReadNanoseconds;
        }
    }

    /// <summary>The meter's energy of this tick, or null where it was not read. Call once a tick.</summary>
    internal long? Energy(Observation observation)
    {
        if (_tick == observation.Tick)
        {
            return _microjoules;
        }

        if (_milliwatts < 0 || observation.EndNanoseconds - _gaugeReadNanoseconds > GaugeHoldNanoseconds)
        {
            return null;
        }

        // mW × ns = pJ; what is below a microjoule is carried, so that nothing is lost over time.
        Int128 picojoules = ((Int128)_milliwatts * observation.Length.Nanoseconds) + _gaugeRemainder;
        (Int128 microjoules, Int128 remainder) = Int128.DivRem(picojoules, 1_000_000);
        _gaugeRemainder = (long)remainder;
        return (long)microjoules;
    }
}
