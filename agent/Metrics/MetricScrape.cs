using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>Everything one answer to /metrics is made from, taken once at its start.</summary>
internal sealed class MetricScrape
{
    private Dictionary<(ConsumerKind, string), ConsumerTotals>? _earlier;

    internal MetricScrape(AgentParts parts, MetricsOptions options)
    {
        Parts = parts;
        Ledger = parts.State.Ledger();
        Node = parts.State.Node();
        Self = parts.State.Self();
        Reports = parts.State.Meters();
        EarlierLedger = parts.History.Earlier() is { } earlier && earlier.Epoch == Ledger.Epoch && earlier.EndNanoseconds < Ledger.EndNanoseconds ? earlier : null;
        DistinctReports =
        [
            .. Reports.GroupBy(report => (report.Meter.Domain, report.Meter.Package, report.Meter.Core))
                .Select(same => same.FirstOrDefault(report => report.Meter.Selected) ?? same.FirstOrDefault(report => report.Absent is null))
                .OfType<MeterReport>(),
        ];
        Groups =
        [
            .. Ledger.Meters.Select((totals, index) => (totals, index))
                .GroupBy(item => (item.totals.Meter.Domain, item.totals.Meter.Package))
                .Select(group => new MeterGroup(group.Key.Domain, group.Key.Package,
                    [.. group.Select(item => item.totals)], [.. group.Select(item => item.index)])),
        ];
        int limit = Math.Min(options.SeriesLimit, AgentProfile.Of(Node.Profile).MetricSeriesLimit);
        Pods = Top(ConsumerKind.Pod, limit, out HiddenPods);
        Containers = Top(ConsumerKind.Container, limit, out HiddenContainers);
        Processes = Top(ConsumerKind.Process, options.TopProcesses, out _);
        Dictionary<string, MachineTotals> machines = Ledger.Machines.ToDictionary(machine => machine.Uuid);
        Machines =
        [
            .. Top(ConsumerKind.Machine, limit, out HiddenMachines).Where(machine => machines.ContainsKey(machine.Id)).Select(machine => (machine, machines[machine.Id])),
        ];
    }

    internal readonly int HiddenPods;

    internal readonly int HiddenContainers;

    internal readonly int HiddenMachines;

    private readonly Dictionary<string, MachineFacts?> _facts = [];

    internal AgentParts Parts { get; }

    internal LedgerSnapshot Ledger { get; }

    internal LedgerSnapshot? EarlierLedger { get; }

    internal NodeFacts Node { get; }

    internal SelfFacts Self { get; }

    internal ImmutableArray<MeterReport> Reports { get; }

    /// <summary>One report for each thing metered: the selected one, else the first that works; a second source of the same is no second energy.</summary>
    internal ImmutableArray<MeterReport> DistinctReports { get; }

    internal ImmutableArray<MeterGroup> Groups { get; }

    internal ConsumerTotals[] Pods { get; }

    internal ConsumerTotals[] Containers { get; }

    internal ConsumerTotals[] Processes { get; }

    internal ImmutableArray<(ConsumerTotals Machine, MachineTotals Totals)> Machines { get; }

    internal IdlePolicy Policy => Node.IdlePolicy;

    /// <summary>Time between the earlier ledger and this one, s.</summary>
    internal double SecondsSinceEarlier => EarlierLedger is null ? 0 : (Ledger.EndNanoseconds - EarlierLedger.EndNanoseconds) / 1e9;

    /// <summary>What is known of a machine beside its energy, asked once.</summary>
    internal MachineFacts? Facts(string uuid)
    {
        if (!_facts.TryGetValue(uuid, out MachineFacts? facts))
        {
            _facts.Add(uuid, facts = Parts.State.Machine(uuid));
        }

        return facts;
    }

    /// <summary>The consumer's figures in the earlier ledger; null where it was not there.</summary>
    internal ConsumerTotals? Earlier(ConsumerTotals consumer)
    {
        _earlier ??= EarlierLedger?.Consumers.ToDictionary(other => (other.Kind, other.Id)) ?? [];
        return _earlier.GetValueOrDefault((consumer.Kind, consumer.Id));
    }

    private ConsumerTotals[] Top(ConsumerKind kind, int limit, out int hidden)
    {
        ConsumerTotals[] all = limit == 0 ? [] : [.. Ledger.Consumers.Where(consumer => consumer.Kind == kind)];
        hidden = Math.Max(0, all.Length - limit);
        if (hidden > 0)
        {
            long[] keys = Array.ConvertAll(all, consumer => -consumer.TotalActive);
            Array.Sort(keys, all);
            all = all[..limit];
        }

        return all;
    }
}
