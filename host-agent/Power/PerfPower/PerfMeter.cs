using Keck.Metering;

namespace Keck.Power;

/// <summary>One event of a power PMU on one CPU.</summary>
internal sealed class PerfMeter : IDisposable
{
    private readonly IPerfCounter? _counter;
    private readonly PerfScale _scale;
    private readonly EnergyCounter _energy;
    private readonly string _where;
    private readonly int _maxWatts;
    private readonly MonotonicClock _clock;
    private readonly MeterProblem _unreadable;
    private (CounterVerdict Verdict, MeterProblem Problem)? _doubtful;

    internal PerfMeter(IPerfCounter? counter, Absence reason, PerfScale scale, string where, int maxWatts, MonotonicClock clock)
    {
        _counter = counter;
        _scale = scale;
        _energy = new(null, maxWatts, startsAtZero: true);
        _where = where;
        _maxWatts = maxWatts;
        _clock = clock;
        _unreadable = new(Absence.NotPresent, $"{where} gives no count: its CPU went offline");
        InitialProblem = counter is not null
            ? null
            : reason is Absence.NotPermitted
                ? new(reason, $"{where} may not be opened by this process", "give the agent CAP_PERFMON (`keck-host doctor` prints the command)")
                : new(reason, $"{where} cannot be opened: the kernel refuses the event");
        MeterReport first = default;
        Read(ref first);
    }

    /// <summary>Why it could not be opened; null when it could.</summary>
    internal MeterProblem? InitialProblem { get; }

    /// <summary>
    /// Why it is not believed before it has moved, in a virtual machine: hypervisors show the PMU and give it no counts. On a machine of its own
    /// it moves with the first reading.
    /// </summary>
    internal MeterProblem NotMoved() => ProblemOf(CounterVerdict.FlatZero);

    /// <summary>Reads the counter and reports what it means.</summary>
    internal void Read(ref MeterReport report)
    {
        if (_counter is null)
        {
            report.SetAbsent(InitialProblem!, _clock.Nanoseconds);
            return;
        }

        bool given = _counter.TryRead(out ulong count);
        long at = _clock.Nanoseconds;
        if (!given)
        {
            report.SetAbsent(_unreadable, at);
            return;
        }

        CounterStep step = _energy.Advance(_scale.Microjoules(count), at);
        switch (step.Verdict)
        {
            case CounterVerdict.Baseline:
                break;
            case CounterVerdict.Energy or CounterVerdict.Resumed:
                report.SetEnergy(step.Microjoules, at);
                break;
            default:
                report.Incident = step.Verdict switch
                {
                    CounterVerdict.Reset => MeterIncident.Reset,
                    CounterVerdict.FlatZero => MeterIncident.None,
                    _ => MeterIncident.Refused,
                };
                report.SetAbsent(ProblemOf(step.Verdict), at);
                break;
        }
    }

    private MeterProblem ProblemOf(CounterVerdict verdict)
    {
        if (_doubtful?.Verdict != verdict)
        {
            _doubtful = (verdict, CounterProblems.Of(verdict, _where, _maxWatts));
        }

        return _doubtful.Value.Problem;
    }

    /// <inheritdoc/>
    public void Dispose() => _counter?.Dispose();
}
