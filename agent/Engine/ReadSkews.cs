using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>How far apart the energy and the runs of a tick were read: by meter, the largest of ten seconds, told when they are over.</summary>
internal sealed class ReadSkews : ITickOutlet
{
    private const long HoldNanoseconds = 10_000_000_000;
    private const long NotRead = -1;

    private Figures _figures = new([]);
    private long _since;

    /// <inheritdoc/>
    public void OnTick(Observation observation, TickAttribution attribution)
    {
        if (_figures.Meters != attribution.Meters)
        {
            Volatile.Write(ref _figures, new Figures(attribution.Meters));
            _since = observation.EndNanoseconds;
        }

        Figures figures = _figures;
        bool over = observation.EndNanoseconds - _since >= HoldNanoseconds;
        for (int meter = 0; meter < attribution.Meters.Length; meter++)
        {
            if (attribution.Shares[meter].Observed)
            {
                figures.Largest[meter] = Math.Max(figures.Largest[meter], attribution.Shares[meter].ReadSkewNanoseconds);
            }

            // The first ten seconds tell what there is so far.
            if (over || Volatile.Read(ref figures.Told[meter]) < figures.Largest[meter])
            {
                Volatile.Write(ref figures.Told[meter], figures.Largest[meter]);
            }

            figures.Largest[meter] = over ? NotRead : figures.Largest[meter];
        }

        _since = over ? observation.EndNanoseconds : _since;
    }

    /// <summary>A meter's skew, s; null where it was not read.</summary>
    internal double? Seconds(string meter)
    {
        Figures figures = Volatile.Read(ref _figures);
        for (int i = 0; i < figures.Meters.Length; i++)
        {
            if (figures.Meters[i].Id == meter)
            {
                return Volatile.Read(ref figures.Told[i]) is var told and >= 0 ? told / 1e9 : null;
            }
        }

        return null;
    }

    private sealed class Figures
    {
        internal Figures(ImmutableArray<Meter> meters)
        {
            Meters = meters;
            (Largest, Told) = (new long[meters.Length], new long[meters.Length]);
            Array.Fill(Largest, NotRead);
            Array.Fill(Told, NotRead);
        }

        internal ImmutableArray<Meter> Meters { get; }

        internal long[] Largest { get; }

        internal long[] Told { get; }
    }
}
