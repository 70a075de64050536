using System.Buffers.Binary;
using Google.Protobuf;
using Keck.Metering;
using Keck.VsockProtocol;

namespace Keck.Host;

/// <summary>A machine's account as its guest may see it: whole millijoules, with bounds.</summary>
internal static class MachineBudget
{
    /// <summary>Fills a Budget; its figures are used again, so that an interval allocates nothing.</summary>
    internal static void Fill(Budget budget, MachineFigures figures, IdlePolicy policy, ulong interval, ulong length)
    {
        budget.Interval = interval;
        budget.IntervalNanoseconds = length;
        (WireQuality quality, WireOrigin origin) = (Quality(figures.Quality), Origin(figures.Origin));
        int vcpus = Math.Min(figures.Vcpus.Count, ChannelProtocol.MaxVcpus);
        while (budget.VcpuActive.Count < vcpus)
        {
            budget.VcpuActive.Add(new WireFigure());
        }

        for (int vcpu = 0; vcpu < vcpus; vcpu++)
        {
            Active(budget.VcpuActive[vcpu], figures.Vcpus[vcpu]);
        }

        budget.OverheadActive = Active(budget.OverheadActive ?? new WireFigure(), figures.Overhead);
        budget.DramActive = Active(budget.DramActive ?? new WireFigure(), figures.Dram);
        bool charged = policy != IdlePolicy.Separate;
        budget.PackageStatic = charged ? Exact(budget.PackageStatic ?? new WireFigure(), figures.PackageStatic) : null;
        budget.DramStatic = charged ? Exact(budget.DramStatic ?? new WireFigure(), figures.DramStatic) : null;

        // Whatever the bounds are: a figure outside of them would be refused by the guest, and must not end the tick here.
        WireFigure Active(WireFigure into, long part) => EnergyQuantum.ToGuest(
            part = Math.Max(0, part), Math.Clamp(figures.Low(part), 0, part), Math.Max(part, figures.High(part)), quality, origin, into);

        WireFigure Exact(WireFigure into, long part) => EnergyQuantum.ToGuest(part = Math.Max(0, part), part, part, quality, origin, into);
    }

    /// <summary>
    /// What the counters of a machine's account count from: made of the ledger's epoch, which no guest knows, and the account's number in
    /// it, so that guests who compare theirs do not learn that they share a host.
    /// </summary>
    internal static ByteString Epoch(Guid ledger, long series)
    {
        Span<byte> bytes = stackalloc byte[ChannelProtocol.EpochBytes];
        _ = ledger.TryWriteBytes(bytes);
        (ulong first, ulong second) = KeyedHash.Of((BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])), (ulong)series);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, first);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], second);
        return ByteString.CopyFrom(bytes);
    }

    internal static WireIdlePolicy Policy(IdlePolicy policy) => policy switch
    {
        IdlePolicy.Proportional => WireIdlePolicy.Proportional,
        IdlePolicy.Allocated => WireIdlePolicy.Allocated,
        _ => WireIdlePolicy.Separate,
    };

    private static WireQuality Quality(ReadingQuality quality) => quality switch
    {
        ReadingQuality.Measured => WireQuality.Measured,
        ReadingQuality.Estimated => WireQuality.Estimated,
        _ => WireQuality.Derived,
    };

    private static WireOrigin Origin(EnergyOrigin origin) => origin switch
    {
        EnergyOrigin.Rapl => WireOrigin.Rapl,
        EnergyOrigin.PerfPower => WireOrigin.PerfPower,
        EnergyOrigin.Hwmon => WireOrigin.Hwmon,
        EnergyOrigin.Redfish => WireOrigin.Redfish,
        EnergyOrigin.Ipmi => WireOrigin.Ipmi,
        EnergyOrigin.Serial => WireOrigin.Serial,
        EnergyOrigin.Nvml => WireOrigin.Nvml,
        EnergyOrigin.Dcgm => WireOrigin.Dcgm,
        EnergyOrigin.Budget => WireOrigin.Budget,
        _ => WireOrigin.Estimate,
    };
}
