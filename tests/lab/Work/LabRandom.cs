namespace Keck.Lab;

/// <summary>Random numbers that are the same on every machine and runtime: SplitMix64, seeded by words.</summary>
public sealed class LabRandom
{
    private ulong _state;

    /// <summary>A stream of its own for these words.</summary>
    public LabRandom(params ReadOnlySpan<string> words)
    {
        // FNV-1a: string.GetHashCode differs from run to run.
        _state = 14695981039346656037;
        foreach (string word in words)
        {
            foreach (char c in word)
            {
                _state = unchecked((_state ^ c) * 1099511628211);
            }

            _state = unchecked((_state ^ 0x1f) * 1099511628211);
        }
    }

    /// <summary>64 random bits.</summary>
    public ulong Bits()
    {
        ulong z = _state = unchecked(_state + 0x9E3779B97F4A7C15);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return z ^ (z >> 31);
    }

    /// <summary>0 (included) to 1 (excluded).</summary>
    public double Unit() => (Bits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Between two numbers.</summary>
    public double Between(double low, double high) => low + ((high - low) * Unit());

    /// <summary>A whole number from <paramref name="low"/> up to and without <paramref name="high"/>.</summary>
    public int Int(int low, int high) => low + (int)(Unit() * (high - low));

    /// <summary>One of these.</summary>
    public T Pick<T>(params ReadOnlySpan<T> items) => items[Int(0, items.Length)];

    /// <summary>Normal, mean 0, deviation 1.</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Unit())) * Math.Cos(2 * Math.PI * Unit());

    /// <summary>A factor around 1: its logarithm is normal with this deviation, cut at two and a half.</summary>
    public double Spread(double deviation) => Math.Exp(deviation * Math.Clamp(Normal(), -2.5, 2.5));

    /// <summary>A waiting time with this mean.</summary>
    public double Exponential(double mean) => -mean * Math.Log(1 - Unit());
}
