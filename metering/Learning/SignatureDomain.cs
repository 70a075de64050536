using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>The factors on one kind of meter: those that follow runs, or memory's.</summary>
internal sealed class SignatureDomain
{
    // Weights become energy by the ratio of the two over this time.
    private const double ScaleSeconds = 60;

    // What a slow error is off by, relative to the active energy, and how long it lasts: only what changes faster tells who it was.
    private const double SlowDeviation = 0.04;
    private const double SlowSeconds = 2;

    // How far what all share wanders in a second: parts of what it may be off by.
    private const double SharedWander = 0.02;

    // By model: its weights are of its own size.
    private readonly WeightScale[] _scales = new WeightScale[Enum.GetValues<ModelKind>().Length];
    private double _seconds;
    private readonly int _capacity;
    private readonly double _kindDeviation;
    private readonly double[] _variances;
    private readonly MeterLateness[] _meters = new MeterLateness[Signatures.MeterSlots / 3];

    internal SignatureDomain(int capacity, double kindDeviation)
    {
        (_capacity, _kindDeviation) = (capacity, kindDeviation);
        _variances = new double[capacity];
        Amounts = new double[capacity];
        Filter = new FactorFilter(capacity, Signatures.SystemSlot);
        for (int i = 0; i < PowerFeatures.Count; i++)
        {
            Filter.Set(Signatures.CoefficientSlots + i, 0, GeneralModel.Deviations[i]);
        }

        for (int a = 0; a < WorkKind.Count; a++)
        {
            for (int b = 0; b < WorkKind.Count; b++)
            {
                Filter.Covariance[((Signatures.KindSlots + a) * capacity) + Signatures.KindSlots + b] = WorkKind.Likeness(a, b) * kindDeviation * kindDeviation;
            }
        }
    }

    internal FactorFilter Filter { get; }

    /// <summary>By slot: the weight of a meter's tick, without the factor.</summary>
    internal double[] Amounts { get; }

    /// <summary>By slot: variance of its part of the last meter's tick, relative to the part.</summary>
    internal ReadOnlySpan<double> PartVariances => _variances;

    /// <summary>All of it; set to resume.</summary>
    internal SignatureDomainState State
    {
        get
        {
            ImmutableArray<double>.Builder covariance = ImmutableArray.CreateBuilder<double>(Filter.Used * (Filter.Used + 1) / 2);
            for (int i = 0; i < Filter.Used; i++)
            {
                covariance.AddRange(Filter.Covariance.AsSpan(i * Filter.Capacity, i + 1));
            }

            return new SignatureDomainState(Filter.PriorDeviation, [.. _scales], [.. _meters.Select(meter => meter.State)], [.. Filter.Factors.AsSpan(0, Filter.Used)], covariance.MoveToImmutable());
        }
        set
        {
            Filter.PriorDeviation = value.PriorDeviation;
            value.Scales.AsSpan(0, Math.Min(value.Scales.Length, _scales.Length)).CopyTo(_scales);
            for (int meter = 0; meter < _meters.Length && meter < value.Meters.Length; meter++)
            {
                _meters[meter].State = value.Meters[meter];
            }

            int used = Math.Min(value.Factors.Length, _capacity);
            value.Factors.AsSpan(0, used).CopyTo(Filter.Factors);
            int from = 0;
            for (int i = 0; i < used; i++)
            {
                for (int j = 0; j <= i; j++)
                {
                    Filter.Covariance[(i * _capacity) + j] = Filter.Covariance[(j * _capacity) + i] = value.Covariance[from++];
                }
            }
        }
    }

    internal void Begin(double seconds)
    {
        _seconds = seconds;
        Filter.Wander(seconds);
        for (int i = 0; i < PowerFeatures.Count; i++)
        {
            Filter.Wander(Signatures.CoefficientSlots + i, seconds, SharedWander, GeneralModel.Deviations[i]);
        }

        for (int i = 0; i < WorkKind.Count; i++)
        {
            Filter.Wander(Signatures.KindSlots + i, seconds, SharedWander, _kindDeviation);
        }

        double kept = Math.Exp(-seconds / ScaleSeconds);
        foreach (ref WeightScale scale in _scales.AsSpan())
        {
            scale = new WeightScale(scale.Microjoules * kept, scale.Weight * kept);
        }
    }

    internal void Learn(int meter, ModelKind model, double active, in LearningNoise noise, ReadOnlySpan<double> profiles)
    {
        double weight = 0;
        for (int slot = Signatures.SystemSlot; slot < Filter.Used; slot++)
        {
            weight += Amounts[slot];
        }

        Amounts.AsSpan(0, Signatures.MeterSlots).Clear();
        if (noise.IsUseless)
        {
            Filter.PartVariances(Amounts, profiles, Signatures.CoefficientSlots, _variances);
            return;
        }

        ref WeightScale known = ref _scales[(int)model];
        known = new WeightScale(known.Microjoules + active, known.Weight + weight);
        double scale = known.Microjoules / known.Weight;
        for (int slot = Signatures.CoefficientSlots; slot < Filter.Used; slot++)
        {
            Amounts[slot] *= scale;
        }

        double late = noise.Late, own = noise.Own;
        if (meter < _meters.Length)
        {
            ref MeterLateness meterOf = ref _meters[meter];
            double expected = 0;
            for (int slot = Signatures.CoefficientSlots; slot < Filter.Used; slot++)
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
            Filter.Fade(slow, Math.Exp(-_seconds / SlowSeconds), SlowDeviation);
            Amounts[slow] = active;
        }
        else
        {
            own = Math.Sqrt((own * own) + (2 * late * late));
        }

        Filter.Observe(Amounts, active, own);
        for (int i = 0; i < PowerFeatures.Count; i++)
        {
            Filter.Limit(Signatures.CoefficientSlots + i, -GeneralModel.Prior[i]);
        }

        // Each limit moves the others by what they have in common: none may end below its own.
        for (int i = 0; i < PowerFeatures.Count; i++)
        {
            ref double difference = ref Filter.Factors[Signatures.CoefficientSlots + i];
            difference = Math.Max(difference, -GeneralModel.Prior[i]);
        }

        Amounts.AsSpan(0, Signatures.MeterSlots).Clear();
        Filter.PartVariances(Amounts, profiles, Signatures.CoefficientSlots, _variances);
    }
}
