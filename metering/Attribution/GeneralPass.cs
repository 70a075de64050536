namespace Keck.Metering;

/// <summary>A tick's pass over runs by the general model: what is not known of a run is as in the mean.</summary>
internal ref struct GeneralPass
{
    internal ReadOnlySpan<RunSample> Runs;
    internal ReadOnlySpan<double> Squares;
    internal ReadOnlySpan<double> Times;
    internal ReadOnlySpan<int> Slots;

    /// <summary>By slot of zones: cores × time in which anybody was awake, for each nanosecond that ran.</summary>
    internal ReadOnlySpan<double> Awake;

    /// <summary>How this machine's coefficients differ.</summary>
    internal ReadOnlySpan<double> Learned;

    /// <summary>By run: what it draws.</summary>
    internal Span<double> Powers;

    /// <summary>By run: how much more by what has been learned.</summary>
    internal Span<double> Shifts;

    /// <summary>By slot of zones: sums of the features.</summary>
    internal Span<double> Features;

    internal double MeanSquare;
    internal double MeanInstructions;
    internal double MeanMisses;

    /// <summary>Takes in a thread's runs.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="consumer">Sums of its consumer's features; empty for none.</param>
    internal readonly void Add(in ThreadSample thread, Span<double> consumer)
    {
        Span<double> own = stackalloc double[PowerFeatures.Count];
        int end = thread.FirstRun + thread.RunCount;
        bool counted = thread.Instructions >= 0 && thread.LlcMisses >= 0;
        double whole = 0;
        foreach (ref readonly RunSample run in Runs[thread.FirstRun..end])
        {
            whole += run.Nanoseconds;
        }

        double each = whole > 0 ? 1 / whole : 0, instructions = thread.Instructions * each, misses = thread.LlcMisses * each;
        for (int i = thread.FirstRun; i < end; i++)
        {
            double nanoseconds = Runs[i].Nanoseconds, gigahertz = Math.Sqrt(double.IsNaN(Squares[i]) ? MeanSquare : Squares[i]), cycles = nanoseconds * gigahertz;
            int slot = Slots[i];
            (Powers[i], Shifts[i]) = GeneralModel.Add(
                own, Learned, Times[i], gigahertz, counted ? nanoseconds * instructions : cycles * MeanInstructions, counted ? nanoseconds * misses : cycles * MeanMisses);
            own[PowerFeatures.PackageAwake] += Times[i] * Awake[slot];
            if (i + 1 == end || Slots[i + 1] != slot)
            {
                AddTo(Features.Slice(slot * PowerFeatures.Count, PowerFeatures.Count), own);
                if (consumer.Length > 0)
                {
                    AddTo(consumer, own);
                }

                own.Clear();
            }
        }
    }

    private static void AddTo(Span<double> sums, ReadOnlySpan<double> own)
    {
        sums = sums[..own.Length];
        for (int i = 0; i < own.Length; i++)
        {
            sums[i] += own[i];
        }
    }
}
