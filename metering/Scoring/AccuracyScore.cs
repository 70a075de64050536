namespace Keck.Metering;

/// <summary>Scores an estimate against a truth, both as files, with bounded memory.</summary>
public static class AccuracyScore
{
    /// <summary>Length of a tick where no file tells it, ns.</summary>
    public const long AssumedTick = 100_000_000;

    /// <summary>Compares.</summary>
    /// <param name="estimate">What <c>replay</c> wrote.</param>
    /// <param name="truth">The truth.</param>
    /// <param name="trace">The trace, for the meters' totals, domains and the lengths of ticks; null where it is not at hand.</param>
    /// <param name="tickNanoseconds">Length of a tick where neither trace nor truth tells it.</param>
    /// <exception cref="TraceFormatException">A file cannot be understood, is cut, or they are not of the same run.</exception>
    public static AccuracyReport Run(Stream estimate, Stream truth, Stream? trace = null, long tickNanoseconds = AssumedTick)
    {
        using TraceReader? observed = trace is null ? null : new TraceReader(trace);
        using FigureReader left = FigureReader.Estimate(estimate, observed?.Header.Meters);
        using FigureReader right = FigureReader.Truth(truth);
        AccuracyScorer scorer = new();
        long before = -1, ticks = 0;
        while (true)
        {
            bool more = left.Read();
            if (more != right.Read())
            {
                (string shorter, string longer) = more ? ("truth", "estimate") : ("estimate", "truth");
                throw new TraceFormatException($"the {shorter} ends after {ticks} ticks, the {longer} goes on: one is cut, or they are not of the same run");
            }

            if (!more)
            {
                break;
            }

            ticks++;
            long length = tickNanoseconds;
            if (right.Figures.EndNanoseconds >= 0)
            {
                length = before >= 0 ? right.Figures.EndNanoseconds - before : length;
                before = right.Figures.EndNanoseconds;
            }

            if (observed is not null)
            {
                length = Check(observed, left.Figures, scorer);
            }

            scorer.Add(left.Figures, right.Figures, Math.Max(1, length));
        }

        return ticks > 0 ? scorer.Finish() : throw new TraceFormatException("the files hold no tick");
    }

    private static long Check(TraceReader trace, TickFigures estimate, AccuracyScorer scorer)
    {
        if (!trace.Read() || trace.Observation.Tick != estimate.Tick)
        {
            throw new TraceFormatException($"the trace has no tick {estimate.Tick}: it is cut, or not that of the estimate");
        }

        bool exactly = true;
        foreach (ref MeterSample sample in trace.Observation.MeterSamples.Items)
        {
            Meter meter = trace.Observation.Meters[sample.Meter];

            // A gauge's energy is not in the trace: replay derives it.
            if (meter.Selected && sample.Microjoules >= 0)
            {
                exactly &= estimate.Booked.GetValueOrDefault(meter.Id) == sample.Microjoules;
            }
        }

        scorer.Conserved(exactly);
        return trace.Observation.Length.Nanoseconds;
    }
}
