using System.Numerics;

namespace Keck.Metering;

/// <summary>
/// Learns factors from sums: each observation says what Σ factor × amount came to. Recursive least squares in its Kalman form, with a
/// prior of 1 ± <see cref="PriorDeviation"/> (a ridge towards 1), factors that wander slowly (forgetting), and limits.
/// </summary>
internal sealed class FactorFilter
{
    /// <summary>Limits of a factor: no instruction mix is further than this from the machine's mean.</summary>
    internal const double Least = 0.2;

    /// <inheritdoc cref="Least"/>
    internal const double Most = 5;

    // How far a factor wanders in a second, as a standard deviation: what was learned a minute ago still counts for most of it.
    private const double WanderPerSecond = 0.02;

    // An innovation beyond this many deviations is an outlier and moves the factors no more than one at the limit.
    private const double MostDeviations = 4;

    private readonly double[] _gain;

    /// <param name="capacity">How many states there can be.</param>
    /// <param name="free">The first states are no factors: around 0, without limits, and set by <see cref="Set"/>.</param>
    internal FactorFilter(int capacity, int free)
    {
        Capacity = capacity;
        Free = free;
        Factors = new double[capacity];
        Covariance = new double[capacity * capacity];
        _gain = new double[capacity];
        for (int i = 0; i < capacity; i++)
        {
            Set(i, i < free ? 0 : 1, i < free ? 0 : PriorDeviation);
        }
    }

    /// <summary>Standard deviation of a factor of which nothing is known.</summary>
    internal double PriorDeviation { get; set; } = 0.25;

    /// <summary>States below this are no factors.</summary>
    internal int Free { get; }

    /// <summary>How many factors there can be.</summary>
    internal int Capacity { get; }

    /// <summary>Factors are in use below this.</summary>
    internal int Used { get; set; }

    /// <summary>The factors.</summary>
    internal double[] Factors { get; }

    /// <summary>Their covariance, row by row.</summary>
    internal double[] Covariance { get; }

    /// <summary>Standard deviation of a factor.</summary>
    internal double Deviation(int index) => Math.Sqrt(Math.Max(0, Covariance[(index * Capacity) + index]));

    /// <summary>Knows nothing of a factor any more.</summary>
    internal void Forget(int index) => Set(index, 1, PriorDeviation);

    /// <summary>A factor may be further off than was thought.</summary>
    internal void Doubt(int index, double deviation) => Covariance[(index * Capacity) + index] += deviation * deviation;

    /// <summary>Makes a state this, independent of all others.</summary>
    internal void Set(int index, double value, double deviation)
    {
        Factors[index] = value;
        Covariance.AsSpan(index * Capacity, Capacity).Clear();
        for (int row = 0; row < Capacity; row++)
        {
            Covariance[(row * Capacity) + index] = 0;
        }

        Covariance[(index * Capacity) + index] = deviation * deviation;
    }

    /// <summary>Lets a state fall back towards 0 ± deviation.</summary>
    /// <param name="index">The state.</param>
    /// <param name="kept">What is kept of it, 0 to 1.</param>
    /// <param name="deviation">Its standard deviation where nothing is known.</param>
    internal void Fade(int index, double kept, double deviation)
    {
        Factors[index] *= kept;
        for (int i = 0; i < Used; i++)
        {
            Covariance[(index * Capacity) + i] *= kept;
            Covariance[(i * Capacity) + index] *= kept;
        }

        Covariance[(index * Capacity) + index] += (1 - (kept * kept)) * deviation * deviation;
    }

    /// <summary>Time passes: factors may have wandered, up to what is known of a new one.</summary>
    internal void Wander(double seconds)
    {
        double variance = WanderPerSecond * WanderPerSecond * seconds;
        for (int i = Free; i < Used; i++)
        {
            ref double own = ref Covariance[(i * Capacity) + i];
            own = Math.Max(own, Math.Min(own + variance, PriorDeviation * PriorDeviation));
        }
    }

    /// <summary>The same of a state that is no factor.</summary>
    /// <param name="index">The state.</param>
    /// <param name="seconds">How much time.</param>
    /// <param name="part">How far it wanders in a second, as part of its deviation.</param>
    /// <param name="deviation">Its standard deviation where nothing is known.</param>
    internal void Wander(int index, double seconds, double part, double deviation)
    {
        double most = deviation * deviation;
        ref double own = ref Covariance[(index * Capacity) + index];
        own = Math.Max(own, Math.Min(own + (part * part * most * seconds), most));
    }

    /// <summary>Keeps a state from falling below a limit; the others are what they are where it lies on it.</summary>
    internal void Limit(int index, double least)
    {
        double variance = Covariance[(index * Capacity) + index], missing = least - Factors[index];
        if (!(missing > 0))
        {
            return;
        }

        for (int i = Free; i < Used && variance > 0; i++)
        {
            Factors[i] = Math.Clamp(Factors[i] + (Covariance[(i * Capacity) + index] / variance * missing), Least, Most);
        }

        for (int i = 0; i < Free && variance > 0; i++)
        {
            Factors[i] += Covariance[(i * Capacity) + index] / variance * missing;
        }

        Factors[index] = least;
    }

    /// <summary>Variance of each factor's part of a sum, relative to the part, where the sum itself is known: what all have in common cancels out.</summary>
    /// <param name="amounts">By state.</param>
    /// <param name="variances">Receives them, by factor.</param>
    internal void PartVariances(ReadOnlySpan<double> amounts, Span<double> variances) => PartVariances(amounts, default, Free, variances);

    /// <summary>The same where a part also hangs on states that all share.</summary>
    /// <param name="amounts">By state.</param>
    /// <param name="profiles">By factor, a row for each state: what it has of the shared states from <paramref name="first"/> up to the first factor, for each unit of its amount. Empty for none.</param>
    /// <param name="first">The first shared state.</param>
    /// <param name="variances">Receives them, by factor.</param>
    internal void PartVariances(ReadOnlySpan<double> amounts, ReadOnlySpan<double> profiles, int first, Span<double> variances)
    {
        int used = Used, shared = profiles.IsEmpty ? 0 : Free - first;
        amounts = amounts[..used];
        Span<double> moved = _gain.AsSpan(0, used);
        double sum = Dot(Factors.AsSpan(0, used), amounts), common = 0;
        for (int i = 0; i < used; i++)
        {
            moved[i] = Dot(Covariance.AsSpan(i * Capacity, used), amounts);
            common += moved[i] * amounts[i];
        }

        common = sum > 0 ? common / (sum * sum) : 0;
        Span<int> has = stackalloc int[shared];
        for (int i = Free; i < used; i++)
        {
            ReadOnlySpan<double> row = Covariance.AsSpan(i * Capacity, used), profile = shared == 0 ? default : profiles.Slice(i * shared, shared);
            double part = Factors[i], own = row[i], cross = moved[i];
            int count = 0;
            for (int j = 0; j < profile.Length; j++)
            {
                if (profile[j] != 0)
                {
                    has[count++] = j;
                    part += profile[j] * Factors[first + j];
                    own += 2 * profile[j] * row[first + j];
                    cross += profile[j] * moved[first + j];
                }
            }

            foreach (int j in has[..count])
            {
                ReadOnlySpan<double> of = Covariance.AsSpan(((first + j) * Capacity) + first, shared);
                double inner = 0;
                foreach (int k in has[..count])
                {
                    inner += profile[k] * of[k];
                }

                own += profile[j] * inner;
            }

            part = Math.Max(part, Least);
            variances[i] = Math.Max(0, (own / (part * part)) - (sum > 0 ? 2 * cross / (part * sum) : 0) + common);
        }
    }

    /// <summary>Takes in that Σ factor × amount came to this.</summary>
    /// <param name="amounts">By factor.</param>
    /// <param name="sum">What they came to.</param>
    /// <param name="deviation">Its standard deviation.</param>
    internal void Observe(ReadOnlySpan<double> amounts, double sum, double deviation)
    {
        int used = Used;
        Span<double> gain = _gain.AsSpan(0, used);
        amounts = amounts[..used];
        double expected = 0, variance = deviation * deviation;
        for (int i = 0; i < used; i++)
        {
            ReadOnlySpan<double> row = Covariance.AsSpan(i * Capacity, used);
            double moved = Dot(row, amounts);
            gain[i] = moved;
            expected += Factors[i] * amounts[i];
            variance += moved * amounts[i];
        }

        if (!(variance > 0) || !double.IsFinite(variance) || !double.IsFinite(sum))
        {
            return;
        }

        double limit = MostDeviations * Math.Sqrt(variance), inverse = 1 / variance;
        double innovation = Math.Clamp(sum - expected, -limit, limit);
        for (int i = 0; i < used; i++)
        {
            double own = gain[i];
            if (own == 0)
            {
                continue;
            }

            double moved = Factors[i] + (own * inverse * innovation);
            Factors[i] = i < Free ? moved : Math.Clamp(moved, Least, Most);
            Span<double> row = Covariance.AsSpan(i * Capacity, used);

            // In this order it stays symmetric to the last bit: half of it is enough to resume from.
            int j = 0;
            Vector<double> owns = new(own), inverses = new(inverse);
            for (; j <= used - Vector<double>.Count; j += Vector<double>.Count)
            {
                (new Vector<double>(row[j..]) - (owns * new Vector<double>(gain[j..]) * inverses)).CopyTo(row[j..]);
            }

            for (; j < used; j++)
            {
                row[j] -= own * gain[j] * inverse;
            }
        }
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        Vector<double> sums = Vector<double>.Zero;
        int i = 0;
        for (; i <= a.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            sums += new Vector<double>(a[i..]) * new Vector<double>(b[i..]);
        }

        double sum = Vector.Sum(sums);
        for (; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
