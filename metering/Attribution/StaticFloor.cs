namespace Keck.Metering;

/// <summary>
/// What one meter's domain draws with nothing to do, learned as a lower envelope of its power over windows of a second.
/// Until the machine has been seen idle the envelope is only an upper limit, and a prior ratio of idle to full power
/// tells how much of it is static; the uncertainty says so.
/// </summary>
public sealed class StaticFloor
{
    private const long WindowNanoseconds = 1_000_000_000;

    // Idle power over full power of servers: SPECpower medians lie between 0.13 and 0.26 (contracts: estimate).
    private const double PriorIdleToFull = 0.2;
    private const double IdleUtilisation = 0.05;

    // Once idle has been seen, the envelope falls quickly and rises slowly: drift is slow, load only adds.
    private const double FallRate = 0.5;
    private const double RiseRate = 0.02;

    private double _windowMicrojoules;
    private double _windowBusy;
    private double _windowCapacity;
    private long _windowLength;

    /// <summary>A floor that starts from what is known: a source's own figure, or the state of a trace; all null for a cold start.</summary>
    public StaticFloor(double? knownWatts = null, StaticFloorState? state = null)
    {
        KnownWatts = knownWatts;
        if (state is { } resumed)
        {
            Watts = resumed.Watts;
            SeenIdle = resumed.SeenIdle;
            _windowMicrojoules = resumed.WindowMicrojoules;
            _windowBusy = resumed.WindowBusy;
            _windowCapacity = resumed.WindowCapacity;
            _windowLength = resumed.WindowLength;
        }
    }

    /// <summary>The learned floor in watts; null until the first window has closed.</summary>
    public double? Watts { get; private set; }

    /// <summary>Whether the CPUs were at least once less than 5 % busy for a whole window.</summary>
    public bool SeenIdle { get; private set; }

    /// <summary>What the meter's source itself says of its idle power; it is taken at its word.</summary>
    public double? KnownWatts { get; }

    /// <summary>Whether the static part is known, not only bounded.</summary>
    public bool IsKnown => KnownWatts is not null || SeenIdle;

    /// <summary>Relative 95 % uncertainty of the static part.</summary>
    public double Uncertainty => KnownWatts is not null ? 0 : SeenIdle ? 0.05 : 0.6;

    /// <summary>Everything needed to go on where this floor is.</summary>
    public StaticFloorState State => new(Watts, SeenIdle, _windowMicrojoules, _windowBusy, _windowCapacity, _windowLength);

    /// <summary>Splits a tick's energy: the static part by the floor as known before this tick, then learns from the tick.</summary>
    /// <param name="microjoules">The meter's energy over the tick.</param>
    /// <param name="nanoseconds">How long the energy took to accrue.</param>
    /// <param name="busyNanoseconds">Busy time of the CPUs the meter covers.</param>
    /// <param name="capacityNanoseconds">Length × those CPUs.</param>
    /// <returns>The static part, at most the energy itself, µJ.</returns>
    public long Part(long microjoules, long nanoseconds, double busyNanoseconds, double capacityNanoseconds)
    {
        double watts = KnownWatts ?? Watts ?? Candidate(microjoules / 1e-3 / Math.Max(nanoseconds, 1), busyNanoseconds, capacityNanoseconds);
        Learn(microjoules, nanoseconds, busyNanoseconds, capacityNanoseconds);
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

        double candidate = Candidate(_windowMicrojoules / 1e-3 / _windowLength, _windowBusy, _windowCapacity);
        bool idle = _windowCapacity > 0 && _windowBusy < _windowCapacity * IdleUtilisation;
        if (idle)
        {
            Watts = SeenIdle && Watts is { } floor
                ? floor + ((candidate - floor) * (candidate < floor ? FallRate : RiseRate))
                : candidate;
            SeenIdle = true;
        }
        else if (Watts is null || candidate < Watts)
        {
            // Never above what was seen; a busy window below a learned idle floor proves the floor wrong.
            Watts = candidate;
        }

        (_windowMicrojoules, _windowBusy, _windowCapacity, _windowLength) = (0, 0, 0, 0);
    }

    private static double Candidate(double watts, double busy, double capacity)
    {
        double utilisation = capacity > 0 ? Math.Clamp(busy / capacity, 0, 1) : 0;
        return watts * PriorIdleToFull / (PriorIdleToFull + ((1 - PriorIdleToFull) * utilisation));
    }
}
