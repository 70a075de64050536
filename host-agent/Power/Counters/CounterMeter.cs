using Keck.Metering;

namespace Keck.Power;

/// <summary>One cumulative energy counter in a file, with all that can be wrong with it said in words.</summary>
internal sealed class CounterMeter : IDisposable
{
    /// <summary>A counter that stands still so long while its CPUs worked is stuck: RAPL moves every millisecond, even idle.</summary>
    private const long StuckNanoseconds = 5_000_000_000;

    /// <summary>How long its CPUs must have worked in that time.</summary>
    private const long StuckBusyNanoseconds = 1_000_000_000;

    private readonly ICounterFile _file;
    private readonly EnergyCounter _counter;
    private readonly MonotonicClock _clock;
    private readonly string _path;
    private readonly string _deniedMend;
    private readonly int? _package;
    private readonly int _maxWatts;
    private (FileFault Fault, MeterProblem Problem)? _faulty;
    private (CounterVerdict Verdict, MeterProblem Problem)? _doubtful;
    private MeterProblem? _stuckProblem;
    private bool _resumed;
    private long _lastValue = -1;
    private long _stillSince;
    private long _stillBusy;

    /// <param name="file">The counter.</param>
    /// <param name="path">Its path, for the words.</param>
    /// <param name="range">What a wrap is worth, µJ; null where it never wraps or is unknown.</param>
    /// <param name="maxWatts">The most that its domain can draw.</param>
    /// <param name="package">The package whose CPUs move it; null for all CPUs.</param>
    /// <param name="deniedMend">What to do where the file may not be read.</param>
    /// <param name="clock">The monotonic clock.</param>
    internal CounterMeter(ICounterFile file, string path, long? range, int maxWatts, int? package, string deniedMend, MonotonicClock clock)
    {
        _file = file;
        _path = path;
        _counter = new(range, maxWatts);
        _package = package;
        _deniedMend = deniedMend;
        _clock = clock;
        _maxWatts = maxWatts;
        MeterReport first = default;
        Read(new ReadContext(0, 0, new Topology([], null), []), ref first);
        InitialProblem = first.Problem;
    }

    /// <summary>Why it had no value when it was opened; null when it had one.</summary>
    internal MeterProblem? InitialProblem { get; }

    /// <summary>Where the counter stands; null where it was never read.</summary>
    internal (long Value, long At)? Mark => _counter.Baseline;

    /// <summary>Counts on from an earlier run of the agent: the next reading covers the time in which nobody looked who ran.</summary>
    internal void Resume(long value, long at)
    {
        _counter.Resume(value, at);
        _resumed = true;
    }

    /// <summary>Reads the counter and reports what it means.</summary>
    internal void Read(in ReadContext context, ref MeterReport report)
    {
        FileNumber number = _file.Read();
        long at = _clock.Nanoseconds;
        if (number.Fault != FileFault.None)
        {
            report.Incident = number.Fault is FileFault.Missing or FileFault.Denied ? MeterIncident.None : MeterIncident.Refused;
            report.SetAbsent(ProblemOf(number.Fault), at);
            return;
        }

        CounterStep step = _counter.Advance(number.Value, at);
        bool resumed = _resumed;
        _resumed = false;
        switch (step.Verdict)
        {
            case CounterVerdict.Baseline:
                break;
            case CounterVerdict.Energy or CounterVerdict.Wrapped or CounterVerdict.Late or CounterVerdict.Resumed:
                report.Incident = step.Verdict is CounterVerdict.Wrapped ? MeterIncident.Wrapped : MeterIncident.None;
                report.Unattributable = resumed || step.Verdict is CounterVerdict.Late;
                Believe(number.Value, step.Microjoules, at, context, ref report);
                break;
            default:
                report.Incident = step.Verdict switch
                {
                    CounterVerdict.Reset => MeterIncident.Reset,
                    CounterVerdict.Gap => MeterIncident.Gap,
                    CounterVerdict.FlatZero => MeterIncident.None,
                    _ => MeterIncident.Refused,
                };
                report.SetAbsent(ProblemOf(step.Verdict), at);
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Believe(long value, long microjoules, long at, in ReadContext context, ref MeterReport report)
    {
        if (value != _lastValue)
        {
            // What came while the counter stood still is exact, but when it was used is not known.
            report.Unattributable |= _stuckProblem is not null;
            _lastValue = value;
            _stillSince = at;
            _stillBusy = 0;
            _stuckProblem = null;
        }
        else if (_stuckProblem is null)
        {
            _stillBusy += context.BusyNanoseconds(_package);
            if (at - _stillSince >= StuckNanoseconds && _stillBusy >= StuckBusyNanoseconds)
            {
                _stuckProblem = new(
                    Absence.Stale,
                    $"{_path} stands at {value} µJ for {(at - _stillSince) / 1_000_000_000} s while its CPUs worked",
                    "compare with `turbostat --Summary`; a firmware or driver fault is likely");
            }
        }

        if (_stuckProblem is { } stuck)
        {
            report.SetAbsent(stuck, at);
        }
        else
        {
            report.SetEnergy(microjoules, at);
        }
    }

    private MeterProblem ProblemOf(FileFault fault)
    {
        if (_faulty?.Fault != fault)
        {
            _faulty = (fault, FileProblems.Of(fault, _path, _deniedMend));
        }

        return _faulty.Value.Problem;
    }

    private MeterProblem ProblemOf(CounterVerdict verdict)
    {
        if (_doubtful?.Verdict != verdict)
        {
            _doubtful = (verdict, CounterProblems.Of(verdict, _path, _maxWatts));
        }

        return _doubtful.Value.Problem;
    }
}
