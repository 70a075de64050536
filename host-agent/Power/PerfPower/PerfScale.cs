using System.Globalization;

namespace Keck.Power;

/// <summary>
/// The exact factor from counts to µJ. A perf scale is printed from a binary fraction (2^-32 J as
/// 2.3283064365386962890625e-10), so as a double it is exact: mantissa × 2^exponent.
/// </summary>
internal readonly record struct PerfScale
{
    private readonly ulong _mantissaMicro;
    private readonly int _shift;

    private PerfScale(ulong mantissaMicro, int shift)
    {
        _mantissaMicro = mantissaMicro;
        _shift = shift;
    }

    /// <summary>Parses an <c>events/….scale</c> file; null for what is no sensible scale of joules.</summary>
    internal static PerfScale? Parse(string text)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double scale) || !(scale is > 1e-15 and <= 1))
        {
            return null;
        }

        long bits = BitConverter.DoubleToInt64Bits(scale);
        ulong mantissa = (ulong)(bits & 0xF_FFFF_FFFF_FFFF) | 1UL << 52;
        int shift = 1075 - (int)(bits >> 52 & 0x7FF);
        int zeros = Math.Min(int.CreateChecked(ulong.TrailingZeroCount(mantissa)), shift);
        mantissa >>= zeros;
        shift -= zeros;

        // A scale that is no short binary fraction keeps 40 bits of its mantissa: 1 part in 10^12, and no product overflows 128 bits.
        while (mantissa >= 1UL << 40)
        {
            mantissa >>= 1;
            shift--;
        }

        return new PerfScale(mantissa * 1_000_000, shift);
    }

    /// <summary>
    /// A count's energy in whole µJ. Differences of this are what a reading reports: the fraction left off one is in the next,
    /// so nothing is lost over time.
    /// </summary>
    internal long Microjoules(ulong count) => (long)(UInt128)((UInt128)count * _mantissaMicro >> _shift & long.MaxValue);

    /// <summary>One count in whole µJ, at least 1.</summary>
    internal long StepMicrojoules => Math.Max(1, Microjoules(1));
}
