namespace Keck.Metering;

/// <summary>Least squares with coefficients that are not negative, by coordinate descent on the normal equations: a dozen unknowns at most.</summary>
internal sealed class NonNegativeLeastSquares
{
    private const int MostRounds = 20_000;
    private const double Precision = 1e-10;

    private readonly int _unknowns;
    private readonly double[] _products;
    private readonly double[] _right;
    private double _square;

    internal NonNegativeLeastSquares(int unknowns)
    {
        _unknowns = unknowns;
        _products = new double[unknowns * unknowns];
        _right = new double[unknowns];
    }

    /// <summary>How many rows were added.</summary>
    internal int Rows { get; private set; }

    /// <summary>Adds a row.</summary>
    /// <param name="amounts">What each unknown is multiplied by.</param>
    /// <param name="value">What they come to.</param>
    /// <param name="deviation">Standard deviation of the value; rows weigh by its inverse square.</param>
    internal void Add(ReadOnlySpan<double> amounts, double value, double deviation)
    {
        double weight = 1 / (deviation * deviation);
        for (int i = 0; i < _unknowns; i++)
        {
            if (amounts[i] == 0)
            {
                continue;
            }

            double weighted = amounts[i] * weight;
            _right[i] += weighted * value;
            for (int j = 0; j < _unknowns; j++)
            {
                _products[(i * _unknowns) + j] += weighted * amounts[j];
            }
        }

        _square += weight * value * value;
        Rows++;
    }

    /// <summary>Solves; an unknown that no row has is 0.</summary>
    /// <param name="ridge">Pull towards 0, relative to each unknown's own weight: decides between unknowns that the rows cannot tell apart.</param>
    internal double[] Solve(double ridge = 1e-6)
    {
        double[] solution = new double[_unknowns];
        double[] gradient = new double[_unknowns];
        for (int i = 0; i < _unknowns; i++)
        {
            gradient[i] = -_right[i];
        }

        for (int round = 0; round < MostRounds; round++)
        {
            double largest = 0;
            for (int i = 0; i < _unknowns; i++)
            {
                double own = _products[(i * _unknowns) + i] * (1 + ridge);
                if (own <= 0)
                {
                    continue;
                }

                double better = Math.Max(0, solution[i] - ((gradient[i] + (ridge * _products[(i * _unknowns) + i] * solution[i])) / own));
                double step = better - solution[i];
                if (step == 0)
                {
                    continue;
                }

                solution[i] = better;
                largest = Math.Max(largest, step * step * own);
                for (int j = 0; j < _unknowns; j++)
                {
                    gradient[j] += step * _products[(j * _unknowns) + i];
                }
            }

            if (largest <= _square * Precision * Precision)
            {
                break;
            }
        }

        return solution;
    }

    /// <summary>Root mean square of the rows' weighted residuals: 1 where the deviations were right.</summary>
    internal double Residual(ReadOnlySpan<double> solution)
    {
        double sum = _square;
        for (int i = 0; i < _unknowns; i++)
        {
            sum -= 2 * solution[i] * _right[i];
            for (int j = 0; j < _unknowns; j++)
            {
                sum += solution[i] * solution[j] * _products[(i * _unknowns) + j];
            }
        }

        return Math.Sqrt(Math.Max(0, sum) / Math.Max(1, Rows));
    }
}
