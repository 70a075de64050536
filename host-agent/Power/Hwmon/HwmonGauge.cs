using Keck.Metering;

namespace Keck.Power;

/// <summary>One power input (µW), read through one descriptor.</summary>
internal sealed class HwmonGauge : IDisposable
{
    private readonly ICounterFile _file;
    private readonly string _path;
    private readonly int _maxWatts;
    private readonly bool _mayBeZero;
    private readonly MonotonicClock _clock;
    private readonly MeterProblem _absurd;
    private readonly MeterProblem _zero;
    private (FileFault Fault, MeterProblem Problem)? _faulty;

    /// <param name="file">The input.</param>
    /// <param name="path">Its path, for the words.</param>
    /// <param name="maxWatts">The most that its domain can draw.</param>
    /// <param name="mayBeZero">Whether 0 W can be true: not for a machine or package that runs this code.</param>
    /// <param name="clock">The monotonic clock.</param>
    internal HwmonGauge(ICounterFile file, string path, int maxWatts, bool mayBeZero, MonotonicClock clock)
    {
        _file = file;
        _path = path;
        _maxWatts = maxWatts;
        _mayBeZero = mayBeZero;
        _clock = clock;
        _absurd = new(Absence.Malformed, $"{path} shows more than {maxWatts} W", $"raise {nameof(PowerOptions.MaxPlatformWatts)} if this machine draws that much");
        _zero = new(Absence.Malformed, $"{path} shows 0 W while the machine runs");
        MeterReport first = default;
        Read(ref first);
        InitialProblem = first.Problem;
    }

    /// <summary>Why it had no value when it was opened; null when it had one.</summary>
    internal MeterProblem? InitialProblem { get; }

    /// <summary>Reads the input.</summary>
    internal void Read(ref MeterReport report)
    {
        FileNumber number = _file.Read();
        long at = _clock.Nanoseconds;
        MeterProblem? problem = null;
        if (number.Fault != FileFault.None)
        {
            if (_faulty?.Fault != number.Fault)
            {
                _faulty = (number.Fault, FileProblems.Of(number.Fault, _path, "let the agent's group read it"));
            }

            problem = _faulty.Value.Problem;
        }
        else if (number.Value > _maxWatts * 1_000_000L)
        {
            problem = _absurd;
        }
        else if (number.Value == 0 && !_mayBeZero)
        {
            problem = _zero;
        }

        if (problem is null)
        {
            report.SetPower((number.Value + 500) / 1_000, at);
            return;
        }

        report.Incident = problem.Reason is Absence.Malformed ? MeterIncident.Refused : MeterIncident.None;
        report.SetAbsent(problem, at);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
