namespace Keck.Metering;

/// <summary>A median in bounded memory: bins a half percent wide, from 10⁻⁶ to 10⁶.</summary>
internal sealed class WidthMedian
{
    private const double Step = 0.005;
    private static readonly double Lowest = Math.Log(1e-6);
    private readonly long[] _bins = new long[(int)((Math.Log(1e6) - Lowest) / Step) + 2];
    private long _count;

    internal void Add(double value)
    {
        _bins[value <= 1e-6 ? 0 : Math.Min(_bins.Length - 1, 1 + (int)((Math.Log(value) - Lowest) / Step))]++;
        _count++;
    }

    internal double? Value()
    {
        if (_count == 0)
        {
            return null;
        }

        long seen = 0;
        int bin = 0;
        while (seen + _bins[bin] <= (_count - 1) / 2)
        {
            seen += _bins[bin++];
        }

        return bin == 0 ? 0 : Math.Exp(Lowest + ((bin - 0.5) * Step));
    }
}
