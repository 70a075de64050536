using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// The ledger as a tree: host → meters → idle, system, unattributed, ended processes, cores → CPUs → machines → processes. Pure. Sums are
/// computed from the leaves up and compared with the ledger's own figure at each node; nothing is computed by subtraction.
/// </summary>
public static class EnergyTree
{
    /// <summary>Depth of a whole tree: host, meter, core, cpu, machine, process.</summary>
    public const int MaxDepth = 6;

    private const int NoCore = -1;

    /// <summary>Builds the tree.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="policy">Who pays static energy.</param>
    /// <param name="depth">Levels below the host that are shown; sums are checked all the way down in any case.</param>
    /// <param name="host">Name of the root.</param>
    /// <param name="earlier">The ledger of an earlier moment in the same epoch, for watts of cores; null for none.</param>
    /// <param name="watts">Power of a meter's parts; null for none.</param>
    public static EnergyNode Build(
        LedgerSnapshot ledger, IdlePolicy policy, int depth, string host, LedgerSnapshot? earlier = null, Func<SeriesKey, double?>? watts = null)
    {
        var builder = new Builder(ledger, policy, earlier, watts);
        return Prune(builder.Host(host), depth);
    }

    internal static EnergyNode Prune(EnergyNode node, int depth) => node.Children is null
        ? node
        : node with { Children = depth <= 0 ? null : [.. node.Children.Select(child => Prune(child, depth - 1))] };

    private sealed class Builder
    {
        private readonly LedgerSnapshot _ledger;
        private readonly IdlePolicy _policy;
        private readonly Func<SeriesKey, double?> _watts;
        private readonly Dictionary<(string?, string, int, int), long>? _earlier;
        private readonly double _seconds;
        private readonly Dictionary<string, ConsumerTotals> _processes;
        private readonly Dictionary<string, string> _machines;

        internal Builder(LedgerSnapshot ledger, IdlePolicy policy, LedgerSnapshot? earlier, Func<SeriesKey, double?>? watts)
        {
            _ledger = ledger;
            _policy = policy;
            _watts = watts ?? (static _ => null);
            _processes = ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Process).ToDictionary(process => process.Id);
            _machines = ledger.Machines.ToDictionary(machine => machine.Uuid, machine => machine.Name ?? machine.Uuid);
            if (earlier is not null && earlier.EndNanoseconds < ledger.EndNanoseconds)
            {
                _seconds = (ledger.EndNanoseconds - earlier.EndNanoseconds) / 1e9;
                _earlier = earlier.Cores.GroupBy(Key).ToDictionary(group => group.Key, group => group.Sum(row => row.Microjoules));
            }
        }

        internal EnergyNode Host(string name)
        {
            List<EnergyNode> children = [];
            int[] indexes = [.. Enumerable.Range(0, _ledger.Meters.Length)];
            foreach (IGrouping<int, int> group in indexes
                .Where(index => _ledger.Meters[index].Meter.Domain.FollowsRuns())
                .GroupBy(index => _ledger.Meters[index].Meter.Package ?? -1))
            {
                children.Add(RunMeters(group.Key, [.. group]));
            }

            foreach (int index in indexes.Where(index => !_ledger.Meters[index].Meter.Domain.FollowsRuns()))
            {
                children.Add(MemoryMeter(index));
            }

            // Energy of CPUs whose package has no meter has nothing to be part of: it would break the sum, and must be seen.
            HashSet<int> metered = [.. indexes.Where(index => _ledger.Meters[index].Meter.Domain.FollowsRuns()).Select(index => _ledger.Meters[index].Meter.Package ?? -1)];
            bool strays = _ledger.Cores.Any(row => row.Microjoules != 0 && !metered.Contains(row.Package));
            EnergyNode root = EnergyNode.Parent("host", "host", name, _ledger.Meters.Sum(meter => meter.Total), children);
            return root with { SumsUp = root.SumsUp && !strays };
        }

        // Meters that follow runs share the rows by CPU of their package; almost always it is one meter.
        private EnergyNode RunMeters(int package, int[] meters)
        {
            CoreTotals[] rows = [.. _ledger.Cores.Where(row => row.Package == package)];
            List<EnergyNode> children = [.. meters.Select(Idle)];
            children.Add(Owner("system", "kernel threads and interrupts", meters, meter => meter.SystemActive, SeriesKind.System, rows));
            children.Add(Owner("unattributed", "runs unknown", meters, meter => meter.UnattributedActive, SeriesKind.Unattributed, rows));
            children.Add(Owner("departed", "ended processes", meters, meter => meter.DepartedActive, SeriesKind.Departed, rows));
            children.AddRange(meters.SelectMany(Overhead));
            children.AddRange(Cores(rows.Where(row => row.Owner == "process"), ByCpu));
            children.AddRange(meters.SelectMany(Shares));
            return Meter(meters, package, children);
        }

        private EnergyNode MemoryMeter(int meter)
        {
            MeterTotals totals = _ledger.Meters[meter];
            List<EnergyNode> children =
            [
                Idle(meter),
                EnergyNode.Leaf("system", "system", "kernel threads", totals.SystemActive, Watts(SeriesKind.System, meter)),
                EnergyNode.Leaf("unattributed", "unattributed", "runs unknown", totals.UnattributedActive, Watts(SeriesKind.Unattributed, meter)),
                EnergyNode.Leaf("departed", "departed", "ended processes", totals.DepartedActive, Watts(SeriesKind.Departed, meter)),
                .. Overhead(meter),
                .. _processes.Values.Where(process => process.Active[meter] != 0)
                    .OrderByDescending(process => process.Active[meter]).ThenBy(process => process.Id, StringComparer.Ordinal)
                    .Select(process => EnergyNode.Leaf("process", process.Id, process.Name, process.Active[meter], null)),
                .. Shares(meter),
            ];
            return Meter([meter], totals.Meter.Package ?? -1, children);
        }

        private EnergyNode Meter(int[] meters, int package, List<EnergyNode> children)
        {
            long total = meters.Sum(meter => _ledger.Meters[meter].Total);
            if (meters.Length > 1)
            {
                string name = package < 0 ? "whole machine" : $"package {package}";
                return EnergyNode.Parent("package", package < 0 ? "machine" : $"package-{package}-meters",
                    $"{name}: {string.Join(" + ", meters.Select(meter => _ledger.Meters[meter].Meter.Id))}", total, children);
            }

            Meter meter = _ledger.Meters[meters[0]].Meter;
            return EnergyNode.Parent("meter", meter.Id, meter.Id, total, children) with
            {
                Origin = meter.Origin.Name(),
                Quality = meter.Quality.Name(),
                PowerWatts = Watts(SeriesKind.Domain, meters[0]),
            };
        }

        private EnergyNode Idle(int meter)
        {
            MeterTotals totals = _ledger.Meters[meter];
            return EnergyNode.Leaf("idle", $"idle-{totals.Meter.Id}", "idle", totals.Idle(_policy), Watts(SeriesKind.Idle, meter));
        }

        // In a guest only: what the hypervisor spent on it outside its vCPUs.
        private IEnumerable<EnergyNode> Overhead(int meter)
        {
            MeterTotals totals = _ledger.Meters[meter];
            return totals.Overhead > 0 || totals.Meter.Domain == EnergyDomain.Overhead
                ? [EnergyNode.Leaf("overhead", $"overhead-{totals.Meter.Id}", "the hypervisor's overhead", totals.Overhead, Watts(SeriesKind.Overhead, meter))]
                : [];
        }

        private EnergyNode Owner(
            string owner, string name, int[] meters, Func<MeterTotals, long> figure, SeriesKind kind, CoreTotals[] rows)
        {
            List<EnergyNode> cores = [.. Cores(rows.Where(row => row.Owner == owner), null)];
            double? power = meters.Select(meter => Watts(kind, meter)).Aggregate((a, b) => a + b);
            return EnergyNode.Parent(owner, owner, name, meters.Sum(meter => figure(_ledger.Meters[meter])), cores) with { PowerWatts = power };
        }

        private IEnumerable<EnergyNode> Cores(IEnumerable<CoreTotals> rows, Func<IEnumerable<CoreTotals>, List<EnergyNode>>? below) =>
            rows.GroupBy(row => row.Cpu < 0 ? NoCore : _ledger.Topology.Place(row.Cpu)?.Core ?? (int.MinValue + row.Cpu))
                .OrderBy(group => group.Key == NoCore ? long.MaxValue : group.Key < NoCore ? int.MaxValue + 1L : group.Key)
                .Select(group => Rows("core", CoreId(group.Key), CoreName(group.Key), [.. group], below));

        private List<EnergyNode> ByCpu(IEnumerable<CoreTotals> rows)
        {
            List<IGrouping<int, CoreTotals>> cpus = [.. rows.GroupBy(row => row.Cpu).OrderBy(group => group.Key)];
            bool threaded = cpus.Count > 1 || (cpus[0].Key >= 0 && _ledger.Topology.Sibling(cpus[0].Key) >= 0);
            return threaded
                ? [.. cpus.Select(cpu => Rows("cpu", $"cpu-{cpu.Key}", $"cpu {cpu.Key}", [.. cpu], Processes))]
                : Processes(cpus[0]);
        }

        private List<EnergyNode> Processes(IEnumerable<CoreTotals> rows) =>
        [
            .. rows.GroupBy(MachineOf)
                .SelectMany(group => group.Key is null
                    ? group.Select(Process)
                    : [Rows("machine", group.Key, _machines[group.Key], [.. group], parts => [.. parts.Select(Process)])])
                .OrderByDescending(node => node.EnergyMicrojoules).ThenBy(node => node.Id, StringComparer.Ordinal),
        ];

        private EnergyNode Process(CoreTotals row) => Rows("process", row.ProcessId ?? row.Owner, NameOf(row), [row], null);

        private string? MachineOf(CoreTotals row) => row.ProcessId is { } id && _processes.TryGetValue(id, out ConsumerTotals? process)
            && process.Machine is { } machine && _machines.ContainsKey(machine) ? machine : null;

        private EnergyNode Rows(string kind, string id, string name, CoreTotals[] rows, Func<IEnumerable<CoreTotals>, List<EnergyNode>>? below)
        {
            long cpu = rows.Sum(row => row.Nanoseconds);
            long known = rows.Where(row => row.KiloCycles is not null).Sum(row => row.Nanoseconds);
            long cycles = rows.Sum(row => row.KiloCycles ?? 0);
            return EnergyNode.Parent(kind, id, name, rows.Sum(row => row.Microjoules), below?.Invoke(rows)) with
            {
                CpuNanoseconds = cpu,
                KiloHertz = known == 0 ? null : (long)(cycles * 1e9 / known),
                PowerWatts = _earlier is null ? null : Math.Round(rows.Sum(Since) / 1e6 / _seconds, 6),
            };
        }

        private IEnumerable<EnergyNode> Shares(int meter)
        {
            if (_policy == IdlePolicy.Separate)
            {
                yield break;
            }

            MeterTotals totals = _ledger.Meters[meter];
            List<EnergyNode> children = _policy == IdlePolicy.Allocated ? Allocated(meter, totals) :
            [
                EnergyNode.Leaf("system", "system", "kernel threads and interrupts", totals.SystemProportional, null),
                EnergyNode.Leaf("unattributed", "unattributed", "runs unknown", totals.UnattributedProportional, null),
                EnergyNode.Leaf("departed", "departed", "ended processes", totals.DepartedProportional, null),
                .. _processes.Values.Where(process => process.Proportional[meter] != 0)
                    .OrderByDescending(process => process.Proportional[meter]).ThenBy(process => process.Id, StringComparer.Ordinal)
                    .Select(process => EnergyNode.Leaf("process", process.Id, process.Name, process.Proportional[meter], null)),
            ];
            yield return EnergyNode.Parent("shares", $"shares-{totals.Meter.Id}", "static energy borne by consumers",
                children.Sum(child => child.EnergyMicrojoules) ?? 0, children);
        }

        private List<EnergyNode> Allocated(int meter, MeterTotals totals) =>
        [
            EnergyNode.Leaf("departed", "departed", "machines that are gone", totals.DepartedAllocated, null),
            .. _ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Machine && consumer.Static(IdlePolicy.Allocated, meter) != 0)
                .OrderByDescending(machine => machine.Static(IdlePolicy.Allocated, meter)).ThenBy(machine => machine.Id, StringComparer.Ordinal)
                .Select(machine => EnergyNode.Leaf("machine", machine.Id, machine.Name, machine.Static(IdlePolicy.Allocated, meter), null)),
        ];

        private long Since(CoreTotals row)
        {
            _ = _earlier!.TryGetValue(Key(row), out long before);
            return Math.Max(0, row.Microjoules - before);
        }

        private string NameOf(CoreTotals row) =>
            row.ProcessId is { } id && _processes.TryGetValue(id, out ConsumerTotals? process) ? process.Name : row.ProcessId ?? row.Owner;

        private double? Watts(SeriesKind kind, int meter) => _watts(new SeriesKey(kind, _ledger.Meters[meter].Meter.Id));

        private static (string?, string, int, int) Key(CoreTotals row) => (row.ProcessId, row.Owner, row.Package, row.Cpu);

        private static string CoreId(int core) => core switch
        {
            NoCore => "core-unknown",
            < NoCore => $"cpu-{core - int.MinValue}-offline",
            _ => $"core-{core}",
        };

        private static string CoreName(int core) => core switch
        {
            NoCore => "no core known",
            < NoCore => $"cpu {core - int.MinValue} (not online)",
            _ => $"core {core}",
        };
    }
}
