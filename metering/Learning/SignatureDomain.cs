using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>The factors on one kind of meter: those that follow runs, or memory's.</summary>
internal sealed class SignatureDomain(int capacity)
{
    // Weights become energy by the ratio of the two over this time.
    private const double ScaleSeconds = 60;

    private double _seconds;
    private readonly double[] _variances = new double[capacity];
    private readonly MeterLateness[] _meters = new MeterLateness[Signatures.MeterSlots / 3];

    internal FactorFilter Filter { get; } = new(capacity, Signatures.MeterSlots);

    /// <summary>By slot: the weight of a meter's tick, without the factor.</summary>
    internal double[] Amounts { get; } = new double[capacity];

    /// <summary>By slot: variance of its part of the last meter's tick, relative to the part.</summary>
    internal ReadOnlySpan<double> PartVariances => _variances;

    /// <summary>Energy over the time of the scale, µJ, and the weights that it came from.</summary>
    internal double ScaleEnergy { get; set; }

    /// <inheritdoc cref="ScaleEnergy"/>
    internal double ScaleWeight { get; set; }

    /// <summary>Whether weights already are µJ, as a calibrated model's.</summary>
    internal bool IsEnergy { get; set; }

    /// <summary>All of it; set to resume.</summary>
    internal SignatureDomainState State
    {
        get
        {
            ImmutableArray<double>.Builder covariance = ImmutableArray.CreateBuilder<double>(Filter.Used * Filter.Used);
            for (int i = 0; i < Filter.Used; i++)
            {
                covariance.AddRange(Filter.Covariance.AsSpan(i * Filter.Capacity, Filter.Used));
            }

            return new SignatureDomainState(ScaleEnergy, ScaleWeight, [.. Filter.Factors.AsSpan(0, Filter.Used)], covariance.MoveToImmutable());
        }
        set
        {
            (ScaleEnergy, ScaleWeight) = (value.ScaleEnergy, value.ScaleWeight);
            int used = Math.Min(value.Factors.Length, capacity);
            value.Factors.AsSpan(0, used).CopyTo(Filter.Factors);
            for (int i = 0; i < used; i++)
            {
                value.Covariance.AsSpan(i * value.Factors.Length, used).CopyTo(Filter.Covariance.AsSpan(i * capacity));
            }
        }
    }

    internal void Begin(double seconds)
    {
        _seconds = seconds;
        Filter.Wander(seconds);
        double kept = Math.Exp(-seconds / ScaleSeconds);
        ScaleEnergy *= kept;
        ScaleWeight *= kept;
    }

    internal void Learn(int meter, double active, in LearningNoise noise)
    {
        double weight = 0;
        for (int slot = Signatures.SystemSlot; slot < Filter.Used; slot++)
        {
            weight += Amounts[slot];
        }

        Amounts.AsSpan(0, Signatures.MeterSlots).Clear();
        if (noise.IsUseless)
        {
            Filter.PartVariances(Amounts, _variances);
            return;
        }

        ScaleEnergy += active;
        ScaleWeight += weight;
        double scale = IsEnergy ? 1 : ScaleEnergy / ScaleWeight;
        for (int slot = Signatures.SystemSlot; slot < Filter.Used; slot++)
        {
            Amounts[slot] *= scale;
        }

        double late = noise.Late, own = noise.Own;
        if (meter < _meters.Length)
        {
            ref MeterLateness meterOf = ref _meters[meter];
            double expected = 0;
            for (int slot = Signatures.SystemSlot; slot < Filter.Used; slot++)
            {
                expected += Amounts[slot] * Filter.Factors[slot];
            }

            late = meterOf.Take(active - expected, late);
            (int now, int before) = meterOf.Odd ? ((2 * meter) + 1, 2 * meter) : (2 * meter, (2 * meter) + 1);
            meterOf.Odd = !meterOf.Odd;
            Filter.Set(now, 0, late);
            Amounts[now] = -1;
            Amounts[before] = 1;
            int slow = (2 * _meters.Length) + meter;
            Filter.Fade(slow, Math.Exp(-_seconds / Tuning.B), Tuning.A);
            Amounts[slow] = active;
        }
        else
        {
            own = Math.Sqrt((own * own) + (2 * late * late));
        }

        Filter.Observe(Amounts, active, own);
        Amounts.AsSpan(0, Signatures.MeterSlots).Clear();
        Filter.PartVariances(Amounts, _variances);
    }
}
