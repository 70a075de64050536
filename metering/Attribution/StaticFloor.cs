namespace Keck.Metering;

/// <summary>
/// What one meter's domain draws with nothing to do, learned as a lower envelope of its power over windows of a second.
/// Until the machine has been seen idle the envelope is only an upper limit, and a prior ratio of idle to full power
/// tells how much of it is static; the uncertainty says so.
/// </summary>
public sealed class StaticFloor
{
    // An idle second holds at least one whole window, wherever it begins.
    private const long WindowNanoseconds = 500_000_000;

    // How much of a busy window tells what full load draws, and how quickly that is believed.
    private const double BusyUtilisation = 0.15;
    private const double RatioRate = 0.2;
    private const double LeastRatio = 0.02;
    private const double MostRatio = 0.9;

    // A machine is not linear in its utilisation, nor does one that is hardly busy sleep as deeply as an idle one.
    private const double LeastUncertainty = 0.3;
    private const double IdleUtilisation = 0.05;

    // Once idle has been seen, the envelope falls quickly and rises slowly: drift is slow, load only adds.
    private const double FallRate = 0.5;
    private const double RiseRate = 0.02;

    // A host that has never been seen idle and is this busy shows nothing of its idle power: its windows are not learned from.
    private const double SaturatedUtilisation = 0.9;

    // What moves by less is drift, and not worth a line.
    private const double TellPart = 0.02;

    private double _windowMicrojoules;
    private double _windowBusy;
    private double _windowCapacity;
    private long _windowLength;
    private StaticFloorState _told;
    private FloorChange? _change;

    // The window that the floor goes by: the idlest so far, before that the one with the lowest candidate.
    private double _idleWatts;
    private double _idleUtilisation;

    // The machine's own ratio of idle to full power; null as long as the prior's holds.
    private double? _ratio;
    private readonly IdlePrior _prior;
    private double _utilisation;

    /// <summary>A floor that starts from what is known: a source's own figure, or the state of a trace; all null for a cold start.</summary>
    public StaticFloor(double? knownWatts = null, StaticFloorState? state = null, IdlePrior? prior = null)
    {
        (KnownWatts, _prior) = (knownWatts, prior ?? IdlePrior.Generic);
        if (state is { } resumed)
        {
            Watts = resumed.Watts;
            SeenIdle = resumed.SeenIdle;
            _idleWatts = resumed.IdleWatts;
            _idleUtilisation = resumed.IdleUtilisation;
            _ratio = resumed.Ratio > 0 ? resumed.Ratio : null;
            _windowMicrojoules = resumed.WindowMicrojoules;
            _windowBusy = resumed.WindowBusy;
            _windowCapacity = resumed.WindowCapacity;
            _windowLength = resumed.WindowLength;
        }

        _told = Settled;
    }

    /// <summary>The learned floor in watts; null until the first window has closed.</summary>
    public double? Watts { get; private set; }

    /// <summary>Whether the CPUs were at least once less than 5 % busy for a whole window.</summary>
    public bool SeenIdle { get; private set; }

    /// <summary>What the meter's source itself says of its idle power; it is taken at its word.</summary>
    public double? KnownWatts { get; }

    /// <summary>Whether the static part is known, not only bounded.</summary>
    public bool IsKnown => KnownWatts is not null || SeenIdle;

    /// <summary>What the static part goes by.</summary>
    public FloorBasis Basis =>
        KnownWatts is not null ? FloorBasis.Source
        : Watts is null ? FloorBasis.Prior
        : !SeenIdle ? FloorBasis.Busy
        : _idleWatts > 0 ? FloorBasis.Idle
        : FloorBasis.Profile;

    /// <summary>Relative 95 % uncertainty of the static part: the wider of both sides.</summary>
    public double Uncertainty => Math.Max(MayBeLess, MayBeMore);

    /// <summary>By how much of itself the static part may be less, at 95 %.</summary>
    internal double MayBeLess => IsKnown ? KnownUncertainty : Math.Max(LeastUncertainty, 1 - (StaticPart(_prior.Least) / StaticPart(_prior.IdleToFull)));

    /// <summary>By how much of itself it may be more.</summary>
    internal double MayBeMore => IsKnown ? KnownUncertainty : Math.Max(LeastUncertainty, (StaticPart(_prior.Most) / StaticPart(_prior.IdleToFull)) - 1);

    /// <summary>By how much of itself the last tick's static part may be less: what its learning brought counts from the next one on.</summary>
    internal double TickMayBeLess { get; private set; }

    /// <summary>By how much of itself it may be more.</summary>
    internal double TickMayBeMore { get; private set; }

    private double KnownUncertainty => KnownWatts is not null ? 0 : 0.05;

    /// <summary>Everything needed to go on where this floor is.</summary>
    public StaticFloorState State => new(Watts, SeenIdle, _windowMicrojoules, _windowBusy, _windowCapacity, _windowLength, _idleWatts, _idleUtilisation, _ratio ?? 0);

    // Without the window under way: what was known at its end, to go back to.
    private StaticFloorState Settled => State with { WindowMicrojoules = 0, WindowBusy = 0, WindowCapacity = 0, WindowLength = 0 };

    /// <summary>Takes the news of a floor that was learned, or moved by more than 2 % since it was last told; null where there are none.</summary>
    public FloorChange? TakeChange()
    {
        FloorChange? change = _change;
        _change = null;
        return change;
    }

    /// <summary>Splits a tick's energy: the static part by the floor as known before this tick, then learns from the tick.</summary>
    /// <param name="microjoules">The meter's energy over the tick.</param>
    /// <param name="nanoseconds">How long the energy took to accrue.</param>
    /// <param name="busyNanoseconds">Busy time of the CPUs the meter covers.</param>
    /// <param name="capacityNanoseconds">Length × those CPUs.</param>
    /// <returns>The static part, at most the energy itself, µJ.</returns>
    public long Part(long microjoules, long nanoseconds, double busyNanoseconds, double capacityNanoseconds)
    {
        _utilisation = capacityNanoseconds > 0 ? Math.Clamp(busyNanoseconds / capacityNanoseconds, 0, 1) : 0;
        double watts = KnownWatts ?? Watts ?? Candidate(microjoules / 1e-3 / Math.Max(nanoseconds, 1), _utilisation);
        (TickMayBeLess, TickMayBeMore) = (MayBeLess, MayBeMore);
        if (KnownWatts is null)
        {
            Learn(microjoules, nanoseconds, busyNanoseconds, capacityNanoseconds);
        }

        double part = Math.Round(watts * nanoseconds * 1e-3);
        return part >= microjoules ? microjoules : Math.Max(0, (long)part);
    }

    private void Learn(long microjoules, long nanoseconds, double busy, double capacity)
    {
        _windowMicrojoules += microjoules;
        _windowLength += nanoseconds;
        _windowBusy += busy;
        _windowCapacity += capacity;
        if (_windowLength < WindowNanoseconds)
        {
            return;
        }

        double watts = _windowMicrojoules / 1e-3 / _windowLength, utilisation = _windowCapacity > 0 ? Math.Clamp(_windowBusy / _windowCapacity, 0, 1) : 1;
        (_windowMicrojoules, _windowBusy, _windowCapacity, _windowLength) = (0, 0, 0, 0);

        // Nothing draws nothing: a counter that stood still for a whole window tells of itself, not of the machine.
        if (watts > 0)
        {
            Learn(watts, utilisation);
            Tell(utilisation);
        }
    }

    private void Learn(double watts, double utilisation)
    {
        double candidate = Candidate(watts, utilisation);
        if (utilisation < IdleUtilisation)
        {
            LearnIdle(watts, utilisation, candidate);
        }
        else if (SeenIdle)
        {
            // Only a whole machine that draws less than its floor proves the floor wrong.
            Watts = watts < Watts ? watts : Watts;
        }
        else if (utilisation < SaturatedUtilisation && !(candidate >= Watts))
        {
            (Watts, _idleWatts, _idleUtilisation) = (candidate, watts, utilisation);
        }

        if (SeenIdle && utilisation > BusyUtilisation && Watts is { } floor && watts > floor)
        {
            double full = floor + ((watts - floor) / utilisation);
            _ratio = Math.Clamp(Ratio + (((floor / full) - Ratio) * RatioRate), LeastRatio, MostRatio);
            if (_idleWatts > 0)
            {
                Watts = Candidate(_idleWatts, _idleUtilisation);
            }
        }
    }

    private void Tell(double utilisation)
    {
        if (Watts is { } now && (_told.Watts is not { } told || SeenIdle != _told.SeenIdle || Math.Abs(now - told) > told * TellPart))
        {
            _change = new FloorChange(utilisation < IdleUtilisation ? AdoptionCause.Idle : AdoptionCause.Busy, utilisation, _told);
            _told = Settled;
        }
    }

    // The idlest window tells most: little has to be taken off it. It ages, so that drift is followed.
    private void LearnIdle(double watts, double utilisation, double candidate)
    {
        if (!SeenIdle || _idleWatts == 0 || utilisation < _idleUtilisation)
        {
            (_idleWatts, _idleUtilisation) = (watts, utilisation);
        }
        else
        {
            double rate = candidate < Watts ? FallRate * Math.Min(1, (_idleUtilisation + 0.002) / (utilisation + 0.002)) : RiseRate;
            _idleWatts += (watts - _idleWatts) * rate;
            _idleUtilisation += (utilisation - _idleUtilisation) * rate;
        }

        SeenIdle = true;
        Watts = Candidate(_idleWatts, _idleUtilisation);
    }

    private double Ratio => _ratio ?? _prior.IdleToFull;

    private double Candidate(double watts, double utilisation) => watts * Ratio / (Ratio + ((1 - Ratio) * utilisation));

    // What part of the power in the window that the floor goes by, or of this tick, is static at a ratio of idle to full power.
    private double StaticPart(double ratio) => ratio / (ratio + ((1 - ratio) * (Watts is null ? _utilisation : _idleUtilisation)));
}
