using Keck.Metering;

namespace Keck.Agent;

/// <summary>The selected meters of one domain and package: almost always one, several for cards and for AMD's cores.</summary>
internal sealed record MeterGroup(EnergyDomain Domain, int? Package, MeterTotals[] Meters, int[] Indexes)
{
    internal long Sum(Func<MeterTotals, long> figure) => Meters.Sum(figure);
}
