using Keck.Metering;

namespace Keck.Power;

/// <summary>What the set remembers of one meter between ticks.</summary>
internal sealed class MeterRecord(SourceMeter found)
{
    /// <summary>So many doubtful readings in a row, and another meter takes over; a single glitch switches nothing.</summary>
    private const int TolerateFailures = 3;

    /// <summary>So many good readings in a row, and a meter that had failed is trusted again.</summary>
    private const int TrustAfter = 3;

    private int _failuresInARow;
    private int _goodInARow;
    private long _previousNanoseconds;

    /// <summary>Whether it may be selected; null problem means it may.</summary>
    internal MeterProblem? Unhealthy { get; private set; } = found.Problem;

    /// <summary>Why the last reading had no value.</summary>
    internal MeterProblem? Problem { get; private set; } = found.Problem;

    /// <summary>Energy since it was found, µJ.</summary>
    internal long Total { get; private set; }

    /// <summary>Power of the last reading, mW.</summary>
    internal long? Milliwatts { get; private set; }

    /// <summary>When the last value was read, ns; null before there was one.</summary>
    internal long? ReadNanoseconds { get; private set; }

    /// <summary>How often what happened.</summary>
    internal MeterCounts Counts { get; set; }

    /// <summary>Takes a reading into account.</summary>
    /// <returns>Whether <see cref="Unhealthy"/> became or ceased to be null.</returns>
    internal bool Apply(in MeterReport report)
    {
        Counts = report.Incident switch
        {
            MeterIncident.Wrapped => Counts with { Wraps = Counts.Wraps + 1 },
            MeterIncident.Reset => Counts with { Resets = Counts.Resets + 1 },
            MeterIncident.Refused => Counts with { Refused = Counts.Refused + 1 },
            MeterIncident.Gap => Counts with { Gaps = Counts.Gaps + 1 },
            _ => Counts,
        };
        return report.Outcome switch
        {
            MeterOutcome.Absent => Fail(report.Problem!),
            MeterOutcome.Energy or MeterOutcome.Power => Succeed(in report),
            _ => false,
        };
    }

    private bool Fail(MeterProblem problem)
    {
        Counts = Counts with { Failures = Counts.Failures + 1 };
        Problem = problem;
        _goodInARow = 0;
        _failuresInARow++;
        bool now = problem.Reason is Absence.NotPresent or Absence.NotPermitted || _failuresInARow >= TolerateFailures;
        if (Unhealthy is not null || !now)
        {
            return false;
        }

        Unhealthy = problem;
        return true;
    }

    private bool Succeed(in MeterReport report)
    {
        Counts = Counts with { Readings = Counts.Readings + 1 };
        Problem = null;
        _failuresInARow = 0;
        if (report.Outcome is MeterOutcome.Power)
        {
            Milliwatts = report.Milliwatts;
        }
        else
        {
            Total += report.Microjoules;
            long span = report.ReadNanoseconds - _previousNanoseconds;
            Milliwatts = _previousNanoseconds != 0 && span > 0 ? (long)((Int128)report.Microjoules * 1_000_000 / span) : Milliwatts;
        }

        _previousNanoseconds = report.ReadNanoseconds;
        ReadNanoseconds = report.ReadNanoseconds;
        if (Unhealthy is null || ++_goodInARow < TrustAfter)
        {
            return false;
        }

        Unhealthy = null;
        _goodInARow = 0;
        return true;
    }
}
