using System.Numerics;

namespace Keck.Metering;

/// <summary>
/// The one place where energy is divided. Shares are whole microjoules and add up to the total, always:
/// each consumer gets the floor of its exact share, the microjoules left over go to the largest remainders,
/// ties to the lower index.
/// </summary>
public static class IntegerSplit
{
    private const int RadixBits = 11;

    // Remainders that share their highest digits are sorted if they are few; the radix selection does not care how many there are.
    private const int MostCandidates = 1024;

    // Below these limits a share fits a double's estimate to ±1 and a remainder fits 64 bits, so that no 128-bit division is needed.
    private const long FastTotal = 1L << 50;
    private const ulong FastSum = 1UL << 61;

    /// <summary>Splits <paramref name="total"/> by <paramref name="weights"/> into <paramref name="shares"/>.</summary>
    /// <param name="total">What to split, µJ or any whole unit; not negative.</param>
    /// <param name="weights">Each consumer's weight; only their ratios matter.</param>
    /// <param name="shares">Receives one share per weight; Σ shares = total.</param>
    /// <param name="remainders">Scratch of the same length; its content afterwards means nothing.</param>
    /// <returns>False where all weights are zero: nobody has a claim, the shares are zero and the total still needs an owner.</returns>
    public static bool Split(long total, ReadOnlySpan<ulong> weights, Span<long> shares, Span<ulong> remainders)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(total);
        if (shares.Length != weights.Length || remainders.Length != weights.Length)
        {
            throw new ArgumentException($"{weights.Length} weights need as many shares ({shares.Length}) and remainders ({remainders.Length}).");
        }

        return Split(total, weights, Sum(weights), shares, remainders);
    }

    /// <summary>The same with the sum of the weights already known, and spans of one length.</summary>
    internal static bool Split(long total, ReadOnlySpan<ulong> weights, UInt128 sum, Span<long> shares, Span<ulong> remainders)
    {
        if (sum == 0)
        {
            shares.Clear();
            return false;
        }

        if (total < FastTotal && sum < FastSum)
        {
            SplitFast((ulong)total, weights, (ulong)sum, shares, remainders);
            return true;
        }

        // Remainders lie below the sum. A sum beyond 64 bits would not fit the scratch: halve the weights' resolution until it does.
        int shift = Math.Max(0, 128 - 63 - (int)UInt128.LeadingZeroCount(sum));
        long left = total - FloorsExact((ulong)total, weights, sum, shift, shares, remainders);
        if (left > 0)
        {
            GiveToLargestRemainders(left, remainders, shares);
        }

        return true;
    }

    /// <summary>Sum of the weights.</summary>
    internal static UInt128 Sum(ReadOnlySpan<ulong> weights)
    {
        ulong high = 0, low = 0;
        foreach (ulong weight in weights)
        {
            low = unchecked(low + weight);
            high += low < weight ? 1UL : 0;
        }

        return new UInt128(high, low);
    }

    // Floors, and the histogram of the remainders' highest digits on the way: one more pass then gives the rest out.
    private static void SplitFast(ulong total, ReadOnlySpan<ulong> weights, ulong sum, Span<long> shares, Span<ulong> remainders)
    {
        Span<int> histogram = stackalloc int[1 << RadixBits];
        histogram.Clear();
        int shift = Math.Max(0, 64 - BitOperations.LeadingZeroCount(sum) - RadixBits);
        long left = (long)total - FloorsFast(total, weights, sum, shift, histogram, shares, remainders);
        if (left <= 0)
        {
            return;
        }

        int bucket = histogram.Length - 1;
        long wanted = left;
        while (histogram[bucket] < wanted)
        {
            wanted -= histogram[bucket--];
        }

        if (histogram[bucket] > MostCandidates && histogram[bucket] != wanted)
        {
            GiveToLargestRemainders(left, remainders, shares);
            return;
        }

        // Above the bucket everybody gets one; in it, those with the largest remainders. If all of it is wanted, it belongs above.
        ulong above = (ulong)(histogram[bucket] == wanted ? bucket : bucket + 1) << shift;
        ulong from = (ulong)bucket << shift;
        Span<int> candidates = stackalloc int[MostCandidates];
        int count = GiveAbove(above, from, remainders, shares, candidates);
        GiveToLargest(wanted, candidates[..count], remainders, shares);
    }

    // Whether a remainder is large is a coin toss: no branch on it.
    private static int GiveAbove(ulong above, ulong from, ReadOnlySpan<ulong> remainders, Span<long> shares, Span<int> candidates)
    {
        shares = shares[..remainders.Length];
        Vector<ulong> aboves = new(above), froms = new(from);
        int count = 0, i = 0;
        for (; i <= remainders.Length - Vector<ulong>.Count; i += Vector<ulong>.Count)
        {
            Vector<ulong> each = new(remainders[i..]);
            Vector<ulong> gets = Vector.GreaterThanOrEqual(each, aboves);
            (new Vector<long>(shares[i..]) - Vector.AsVectorInt64(gets)).CopyTo(shares[i..]);
            if (Vector.AndNot(Vector.GreaterThanOrEqual(each, froms), gets) != Vector<ulong>.Zero)
            {
                for (int lane = i; lane < i + Vector<ulong>.Count; lane++)
                {
                    if (remainders[lane] >= from && remainders[lane] < above)
                    {
                        candidates[count++] = lane;
                    }
                }
            }
        }

        for (; i < remainders.Length; i++)
        {
            if (remainders[i] >= above)
            {
                shares[i]++;
            }
            else if (remainders[i] >= from)
            {
                candidates[count++] = i;
            }
        }

        return count;
    }

    private static void GiveToLargest(long wanted, ReadOnlySpan<int> candidates, ReadOnlySpan<ulong> remainders, Span<long> shares)
    {
        if (candidates.IsEmpty)
        {
            return;
        }

        Span<ulong> sorted = stackalloc ulong[MostCandidates];
        sorted = sorted[..candidates.Length];
        for (int i = 0; i < candidates.Length; i++)
        {
            sorted[i] = remainders[candidates[i]];
        }

        sorted.Sort();
        ulong threshold = sorted[^(int)wanted];
        foreach (ulong remainder in sorted)
        {
            wanted -= remainder > threshold ? 1 : 0;
        }

        foreach (int index in candidates)
        {
            if (remainders[index] > threshold || (remainders[index] == threshold && wanted-- > 0))
            {
                shares[index]++;
            }
        }
    }

    private static long FloorsFast(ulong total, ReadOnlySpan<ulong> weights, ulong sum, int shift, Span<int> histogram, Span<long> shares, Span<ulong> remainders)
    {
        unchecked
        {
            shares = shares[..weights.Length];
            remainders = remainders[..weights.Length];
            double perWeight = total / (double)sum;
            long assigned = 0;
            for (int i = 0; i < weights.Length; i++)
            {
                // Both factors lie below 2^61: signed conversions are the processor's own.
                ulong share = (ulong)(long)((long)weights[i] * perWeight);

                // weight × total − share × sum, exact modulo 2^64; its true value lies within (−2^62, 2^62).
                long remainder = (long)((weights[i] * total) - (share * sum));
                while (remainder < 0)
                {
                    share--;
                    remainder += (long)sum;
                }

                while (remainder >= (long)sum)
                {
                    share++;
                    remainder -= (long)sum;
                }

                shares[i] = (long)share;
                remainders[i] = (ulong)remainder;
                assigned += (long)share;
                histogram[(int)((ulong)remainder >> shift)]++;
            }

            return assigned;
        }
    }

    private static long FloorsExact(ulong total, ReadOnlySpan<ulong> weights, UInt128 sum, int shift, Span<long> shares, Span<ulong> remainders)
    {
        long assigned = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            UInt128 product = (UInt128)total * weights[i];
            (UInt128 share, UInt128 remainder) = UInt128.DivRem(product, sum);
            shares[i] = (long)(ulong)share;
            remainders[i] = (ulong)(remainder >> shift);
            assigned += shares[i];
        }

        return assigned;
    }

    // Radix selection of the left-th largest remainder: a few linear passes whatever the data.
    private static void GiveToLargestRemainders(long left, ReadOnlySpan<ulong> remainders, Span<long> shares)
    {
        Span<int> histogram = stackalloc int[1 << RadixBits];
        ulong largest = 0;
        foreach (ulong remainder in remainders)
        {
            largest = Math.Max(largest, remainder);
        }

        int bits = 64 - BitOperations.LeadingZeroCount(largest);
        int low = bits;
        ulong prefix = 0;
        long wanted = left;
        while (low > 0)
        {
            int width = Math.Min(RadixBits, low);
            int next = low - width;
            histogram.Clear();
            foreach (ulong remainder in remainders)
            {
                if (ShiftRight(remainder, low) == prefix)
                {
                    histogram[(int)((remainder >> next) & ((1UL << width) - 1))]++;
                }
            }

            int bucket = (1 << width) - 1;
            while (histogram[bucket] < wanted)
            {
                wanted -= histogram[bucket--];
            }

            prefix = (prefix << width) | (uint)bucket;
            low = next;
            if (histogram[bucket] == wanted)
            {
                // The whole bucket is wanted: its lower digits decide nothing.
                break;
            }
        }

        // Everything above the threshold gets one; of the ties, the lowest indices.
        for (int i = 0; i < remainders.Length; i++)
        {
            ulong digits = ShiftRight(remainders[i], low);
            if (digits > prefix || (digits == prefix && wanted-- > 0))
            {
                shares[i]++;
            }
        }
    }

    // A shift by 64 is a shift by nothing to the processor.
    private static ulong ShiftRight(ulong value, int bits) => bits >= 64 ? 0 : value >> bits;
}
