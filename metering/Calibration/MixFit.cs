using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>Fits what each instruction mix of a commissioning run costs against a model, the model being given; and memory's likewise.</summary>
internal sealed class MixFit(List<CalibrationRow> rows, int mixes)
{
    // How surely a mix costs what the model says, where the rows do not tell: the less of it there was, the less they do.
    private const double Pull = 0.03;

    /// <summary>By mix.</summary>
    internal double[] Factors { get; private set; } = Ones(mixes);

    /// <summary>Fits the factors to a model, so that their mean over the run is 1.</summary>
    internal void Improve(PowerModel model, ImmutableSortedDictionary<string, StaticPower> floors)
    {
        ReadOnlySpan<double> coefficients = model.Coefficients.AsSpan();
        double awake = coefficients[PowerFeatures.PackageAwake];
        (double[] factors, double[] totals) = Solve(rows, mixes, coefficients[..PowerFeatures.PackageAwake], floors, row => row.Features[PowerFeatures.PackageAwake] * awake);
        double mean = factors.Zip(totals, static (factor, total) => factor * total).Sum() / Math.Max(double.Epsilon, totals.Sum());
        Factors = mean > 0 ? [.. factors.Select(factor => factor / mean)] : Ones(mixes);
    }

    /// <summary>Fits memory's factors on its energy per miss.</summary>
    internal static double[] OfMemory(List<CalibrationRow> rows, int mixes, double perMiss, ImmutableSortedDictionary<string, StaticPower> floors)
    {
        double[] coefficients = new double[PowerFeatures.Misses + 1];
        coefficients[PowerFeatures.Misses] = perMiss;
        return Solve(rows, mixes, coefficients, floors, static _ => 0).Factors;
    }

    internal static double[] Ones(int count)
    {
        double[] ones = new double[count];
        Array.Fill(ones, 1);
        return ones;
    }

    private static (double[] Factors, double[] Totals) Solve(
        List<CalibrationRow> rows, int mixes, ReadOnlySpan<double> coefficients, ImmutableSortedDictionary<string, StaticPower> floors, Func<CalibrationRow, double> common)
    {
        NonNegativeLeastSquares fit = new(mixes);
        double[] amounts = new double[mixes], totals = new double[mixes];
        foreach (CalibrationRow row in rows)
        {
            Array.Clear(amounts);
            double value = row.Microjoules - (floors[row.Meter.Id].Watts * row.Length / 1e3) - common(row);
            foreach ((int mix, double[] features) in row.ByMix)
            {
                double energy = 0;
                for (int i = 0; i < coefficients.Length; i++)
                {
                    energy += features[i] * coefficients[i];
                }

                if (mix == MixFinder.None)
                {
                    value -= energy;
                }
                else
                {
                    amounts[mix] = energy;
                    totals[mix] += energy;
                }
            }

            fit.Add(amounts, value, row.Deviation);
        }

        double each = totals.Sum() / mixes;
        for (int mix = 0; mix < mixes; mix++)
        {
            Array.Clear(amounts);
            amounts[mix] = 1;
            fit.Add(amounts, 1, Pull * Math.Max(1, each) / Math.Max(1, totals[mix]));
        }

        return (fit.Solve(), totals);
    }
}
