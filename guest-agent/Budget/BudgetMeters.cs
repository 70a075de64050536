using System.Collections.Immutable;
using System.Globalization;
using Keck.Metering;
using Keck.VsockProtocol;

namespace Keck.Guest;

/// <summary>The meters of a budget, in the order of its counters: vCPUs, overhead, memory, and static parts where the host's policy charges them.</summary>
internal static class BudgetMeters
{
    /// <summary>Static power is not to be learned of a budget: the host has told it apart.</summary>
    private const double NoneStatic = 0;

    internal static ImmutableArray<Meter> Of(int vcpus, WireQuality quality, bool charged, Topology topology)
    {
        Meter meter = new()
        {
            Id = "",
            Domain = EnergyDomain.Vcpu,
            Origin = EnergyOrigin.Budget,
            Quality = quality switch
            {
                WireQuality.Measured => ReadingQuality.Measured,
                WireQuality.Estimated => ReadingQuality.Estimated,
                _ => ReadingQuality.Derived,
            },
            Selected = true,
            KnownStaticWatts = NoneStatic,
            Quantum = new Microjoules(ChannelProtocol.QuantumMicrojoules),
        };
        ImmutableArray<Meter> active =
        [
            .. Enumerable.Range(0, vcpus).Select(vcpu => meter with
            {
                Id = string.Create(CultureInfo.InvariantCulture, $"vcpu-{vcpu}"),
                Cpu = vcpu,
                Package = topology.Package(vcpu) is var package and >= 0 ? package : 0,
            }),
            meter with { Id = "overhead", Domain = EnergyDomain.Overhead },
            meter with { Id = "dram", Domain = EnergyDomain.Dram },
        ];
        return charged ? [.. active, meter with { Id = "static", Domain = EnergyDomain.Static }, meter with { Id = Meter.StaticMemoryId, Domain = EnergyDomain.Static }] : active;
    }
}
