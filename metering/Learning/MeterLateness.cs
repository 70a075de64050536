namespace Keck.Metering;

/// <summary>
/// How late a meter's readings are. A counter that is updated now and then misses in one tick what it has too much in the next, so that
/// what it is off by changes its sign from tick to tick: that is how the lateness is known, whatever the meter's rate of updates.
/// </summary>
internal struct MeterLateness
{
    private const double Rate = 0.05;

    private double _lastOff;
    private double _lastStep;
    private double _products;

    /// <summary>Which of the meter's two states is the present one.</summary>
    internal bool Odd;

    internal LatenessState State
    {
        readonly get => new(_lastOff, _lastStep, _products, Odd);
        set => (_lastOff, _lastStep, _products, Odd) = (value.Off, value.Step, value.Products, value.Odd);
    }

    /// <summary>Takes in what a tick was off by.</summary>
    /// <param name="off">Observed less expected, µJ.</param>
    /// <param name="least">What is known of the lateness, µJ.</param>
    /// <returns>Standard deviation of the lateness, µJ.</returns>
    internal double Take(double off, double least)
    {
        // Steps between ticks: what is off slowly cancels out. Of a lateness j they are j − 2j′ + j″, whose product with the step before is −4j² in mean.
        double step = off - _lastOff;
        _products += ((step * _lastStep) - _products) * Rate;
        (_lastOff, _lastStep) = (off, step);
        return Math.Sqrt(Math.Max(least * least, -_products / 4));
    }
}
