using Keck.Agent;
using Keck.Metering;
using Keck.VsockProtocol;

namespace Keck.Guest;

/// <summary>Who used the budget, for the host: the top processes, containers and pods of a ledger.</summary>
internal static class UsageReport
{
    /// <summary>Makes the message.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="names">What pods and containers are called.</param>
    /// <param name="top">How many of each kind.</param>
    /// <param name="seq">Its number.</param>
    /// <param name="interval">The Budget that the ledger reaches to; null for none.</param>
    /// <param name="kind">What the budget's energy is worth.</param>
    internal static Usage Of(LedgerSnapshot ledger, IWorkloadNames names, int top, ulong seq, ulong? interval, (WireQuality Quality, WireOrigin Origin) kind)
    {
        Usage usage = new() { Seq = seq };
        if (interval is { } known)
        {
            usage.Interval = known;
        }

        long rest = ledger.Meters.Sum(meter => meter.Total);
        foreach (ConsumerKind consumerKind in (ReadOnlySpan<ConsumerKind>)[ConsumerKind.Process, ConsumerKind.Container, ConsumerKind.Pod])
        {
            foreach (ConsumerTotals consumer in ledger.Consumers.Where(consumer => consumer.Kind == consumerKind && consumer.TotalActive > 0)
                .OrderByDescending(consumer => consumer.TotalActive).ThenBy(consumer => consumer.Id, StringComparer.Ordinal).Take(top))
            {
                usage.Top.Add(Line(consumer, names, kind));
                rest -= consumerKind == ConsumerKind.Process ? consumer.TotalActive : 0;
            }
        }

        usage.Rest = new WireFigure { EnergyMicrojoules = (ulong)Math.Max(0, rest), Quality = kind.Quality, Origin = kind.Origin };
        return usage;
    }

    private static WireUsage Line(ConsumerTotals consumer, IWorkloadNames names, (WireQuality Quality, WireOrigin Origin) kind)
    {
        long energy = consumer.TotalActive;
        WireUsage line = new()
        {
            Kind = consumer.Kind switch { ConsumerKind.Pod => WireUsageKind.Pod, ConsumerKind.Container => WireUsageKind.Container, _ => WireUsageKind.Process },
            Energy = new WireFigure
            {
                EnergyMicrojoules = (ulong)energy,
                LowMicrojoules = (ulong)Math.Min(energy, consumer.Bounds.Low(energy)),
                HighMicrojoules = (ulong)Math.Max(energy, consumer.Bounds.High(energy)),
                Quality = kind.Quality,
                Origin = kind.Origin,
            },
        };
        string? podUid = consumer.Kind == ConsumerKind.Pod ? consumer.Id : consumer.PodUid;
        string? container = consumer.Kind == ConsumerKind.Container ? consumer.Id : consumer.Container;
        PodName? pod = podUid is null ? null : names.Pod(podUid);
        string? name = consumer.Kind switch
        {
            ConsumerKind.Pod => pod?.Name,
            ConsumerKind.Container => names.Container(consumer.Id)?.Name,
            _ => consumer.Name,
        };
        if (consumer.Kind == ConsumerKind.Process)
        {
            (line.Pid, line.StartNanoseconds) = ((uint)consumer.Pid, (ulong)consumer.StartNanoseconds);
        }

        Set(name, text => line.Name = text);
        Set(pod?.Namespace, text => line.Namespace = text);
        Set(podUid, text => line.PodUid = text);
        Set(container, text => line.ContainerId = text);
        return line;
    }

    // A process may call itself anything; the host refuses control characters and long texts, rightly.
    private static void Set(string? text, Action<string> into)
    {
        if (!string.IsNullOrEmpty(text))
        {
            string clean = string.Concat(text.Take(ChannelProtocol.MaxText).Select(c => char.IsControl(c) ? '?' : c));
            into(clean);
        }
    }
}
