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
    /// <param name="rate">Power of a meter's parts; null for none.</param>
    internal static EnergyNode Build(
        LedgerSnapshot ledger, IdlePolicy policy, int depth, string host, LedgerSnapshot? earlier = null, Func<SeriesKey, EnergyRate?>? rate = null)
    {
        var builder = new Builder(ledger, policy, earlier, rate);
        return Prune(builder.Host(host), depth);
    }

    internal static EnergyNode Prune(EnergyNode node, int depth) => node.Children is null
        ? node
        : node with { Children = depth <= 0 ? null : [.. node.Children.Select(child => Prune(child, depth - 1))] };

    private sealed class Builder
    {
        private readonly LedgerSnapshot _ledger;
        private readonly IdlePolicy _policy;
        private readonly Func<SeriesKey, EnergyRate?> _rate;
        private readonly Dictionary<(string?, string, int, int), long>? _earlier;
        private readonly double _seconds;
        private readonly Dictionary<string, ConsumerTotals> _processes;
        private readonly Dictionary<string, Divisible> _divided = [];
        private readonly Dictionary<(string, int), EnergySources> _sources = [];
        private readonly Dictionary<string, string> _machines;

        internal Builder(LedgerSnapshot ledger, IdlePolicy policy, LedgerSnapshot? earlier, Func<SeriesKey, EnergyRate?>? rate)
        {
            _ledger = ledger;
            _policy = policy;
            _rate = rate ?? (static _ => null);
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
            EnergyNode root = EnergyNode.Parent("host", "host", name, EnergyFigure.Sum(indexes.Select(Total)), children);
            return root with { SumsUp = root.SumsUp && !strays };
        }

        // Meters that follow runs share the rows by CPU of their package; almost always it is one meter.
        private EnergyNode RunMeters(int package, int[] meters)
        {
            CoreTotals[] rows = [.. _ledger.Cores.Where(row => row.Package == package)];
            List<EnergyNode> children = [.. meters.Select(Idle)];
            children.Add(Owner("system", "kernel threads and interrupts", meters, System, rows));
            children.Add(Owner("unattributed", "runs unknown", meters, Unattributed, rows));
            children.Add(Owner("departed", "ended processes", meters, Departed, rows));
            children.AddRange(meters.SelectMany(Overhead));
            children.AddRange(Cores(rows.Where(row => row.Owner == "process"), OfProcess, ByCpu));
            children.AddRange(meters.SelectMany(Shares));
            return Meter(meters, package, children);
        }

        private EnergyNode MemoryMeter(int meter)
        {
            MeterTotals totals = _ledger.Meters[meter];
            List<EnergyNode> children =
            [
                Idle(meter),
                EnergyNode.Leaf("system", "system", "kernel threads", System(meter)),
                EnergyNode.Leaf("unattributed", "unattributed", "runs unknown", Unattributed(meter)),
                EnergyNode.Leaf("departed", "departed", "ended processes", Departed(meter)),
                .. Overhead(meter),
                .. _processes.Values.Where(process => process.Active[meter] != 0)
                    .OrderByDescending(process => process.Active[meter]).ThenBy(process => process.Id, StringComparer.Ordinal)
                    .Select(process => EnergyNode.Leaf("process", process.Id, process.Name, new EnergyFigure(
                        process.Active[meter], Divided(process).Part(process.Active[meter]), EnergySources.Of(totals.Meter)))),
                .. Shares(meter),
            ];
            return Meter([meter], totals.Meter.Package ?? -1, children);
        }

        private EnergyNode Meter(int[] meters, int package, List<EnergyNode> children)
        {
            EnergyFigure total = EnergyFigure.Sum(meters.Select(Total));
            if (meters.Length > 1)
            {
                string name = package < 0 ? "whole machine" : $"package {package}";
                return EnergyNode.Parent("package", package < 0 ? "machine" : $"package-{package}-meters",
                    $"{name}: {string.Join(" + ", meters.Select(IdOf))}", total, children);
            }

            Meter meter = _ledger.Meters[meters[0]].Meter;
            return EnergyNode.Parent("meter", IdOf(meters[0]), IdOf(meters[0]), total, children);
        }

        private EnergyNode Idle(int meter) => EnergyNode.Leaf("idle", $"idle-{IdOf(meter)}", "idle",
            Figure(meter, _ledger.Meters[meter].Idle(_policy), _ledger.Meters[meter].StaticBounds(_ledger.Meters[meter].Idle(_policy)), SeriesKind.Idle));

        // In a guest only: what the hypervisor spent on it outside its vCPUs.
        private IEnumerable<EnergyNode> Overhead(int meter)
        {
            MeterTotals totals = _ledger.Meters[meter];
            return totals.Overhead > 0 || totals.Meter.Domain == EnergyDomain.Overhead
                ? [EnergyNode.Leaf("overhead", $"overhead-{IdOf(meter)}", "the hypervisor's overhead",
                    Figure(meter, totals.Overhead, totals.Common(totals.Overhead), SeriesKind.Overhead))]
                : [];
        }

        private EnergyFigure Total(int meter) => Figure(meter, _ledger.Meters[meter].Total, _ledger.Meters[meter].TotalBounds, SeriesKind.Domain);

        private EnergyFigure System(int meter) => Figure(meter, _ledger.Meters[meter].SystemActive, _ledger.Meters[meter].SystemBounds, SeriesKind.System);

        private EnergyFigure Unattributed(int meter) =>
            Figure(meter, _ledger.Meters[meter].UnattributedActive, _ledger.Meters[meter].UnattributedBounds, SeriesKind.Unattributed);

        private EnergyFigure Departed(int meter) => Figure(meter, _ledger.Meters[meter].DepartedActive, _ledger.Meters[meter].DepartedBounds, SeriesKind.Departed);

        private EnergyFigure Figure(int meter, long microjoules, in BoundSample bounds, SeriesKind kind) =>
            new(microjoules, bounds, EnergySources.Of(_ledger.Meters[meter].Meter),
                _ledger.Meters[meter].Current ? _rate(new SeriesKey(kind, _ledger.Meters[meter].Meter.Id)) : null);

        // One of another origin may have had the same id.
        private string IdOf(int meter)
        {
            Meter of = _ledger.Meters[meter].Meter;
            return _ledger.Meters.Count(other => other.Meter.Id == of.Id) > 1 ? $"{of.Id}-{of.Origin.Name()}" : of.Id;
        }

        private EnergyNode Owner(string owner, string name, int[] meters, Func<int, EnergyFigure> figure, CoreTotals[] rows)
        {
            EnergyFigure whole = EnergyFigure.Sum(meters.Select(figure));
            BoundSample common = default;
            foreach (int meter in meters)
            {
                common.Add(_ledger.Meters[meter].Common(figure(meter).Microjoules));
            }

            EnergyFigure OfRow(CoreTotals row) => whole with { Microjoules = row.Microjoules, Bounds = whole.Bounds.Part(row.Microjoules, whole.Microjoules, common) };
            return EnergyNode.Parent(owner, owner, name, whole, [.. Cores(rows.Where(row => row.Owner == owner), OfRow, null)]);
        }

        private IEnumerable<EnergyNode> Cores(
            IEnumerable<CoreTotals> rows, Func<CoreTotals, EnergyFigure> figure, Func<IEnumerable<CoreTotals>, List<EnergyNode>>? below) =>
            rows.GroupBy(row => row.Cpu < 0 ? NoCore : _ledger.Topology.Place(row.Cpu)?.Core ?? (int.MinValue + row.Cpu))
                .OrderBy(group => group.Key == NoCore ? long.MaxValue : group.Key < NoCore ? int.MaxValue + 1L : group.Key)
                .Select(group => Rows("core", CoreId(group.Key), CoreName(group.Key), [.. group], figure, below));

        private List<EnergyNode> ByCpu(IEnumerable<CoreTotals> rows)
        {
            List<IGrouping<int, CoreTotals>> cpus = [.. rows.GroupBy(row => row.Cpu).OrderBy(group => group.Key)];
            bool threaded = cpus.Count > 1 || (cpus[0].Key >= 0 && _ledger.Topology.Sibling(cpus[0].Key) >= 0);
            return threaded
                ? [.. cpus.Select(cpu => Rows("cpu", $"cpu-{cpu.Key}", $"cpu {cpu.Key}", [.. cpu], OfProcess, Processes))]
                : Processes(cpus[0]);
        }

        private List<EnergyNode> Processes(IEnumerable<CoreTotals> rows) =>
        [
            .. rows.GroupBy(MachineOf)
                .SelectMany(group => group.Key is null
                    ? group.Select(Process)
                    : [Rows("machine", group.Key, _machines[group.Key], [.. group], OfProcess, parts => [.. parts.Select(Process)])])
                .OrderByDescending(node => node.EnergyMicrojoules).ThenBy(node => node.Id, StringComparer.Ordinal),
        ];

        private EnergyNode Process(CoreTotals row) => Rows("process", row.ProcessId ?? row.Owner, NameOf(row), [row], OfProcess, null);

        private EnergyFigure OfProcess(CoreTotals row) => row.ProcessId is { } id && _processes.TryGetValue(id, out ConsumerTotals? process)
            ? new EnergyFigure(row.Microjoules, Divided(process).Part(row.Microjoules), Sources(process, row.Package))
            : new EnergyFigure(row.Microjoules, default, default);

        private Divisible Divided(ConsumerTotals process)
        {
            if (!_divided.TryGetValue(process.Id, out Divisible divisible))
            {
                _divided.Add(process.Id, divisible = process.Divide(_ledger));
            }

            return divisible;
        }

        // Of the meters that follow runs on a package those that the process has a part of.
        private EnergySources Sources(ConsumerTotals process, int package)
        {
            if (!_sources.TryGetValue((process.Id, package), out EnergySources sources))
            {
                sources = EnergySources.Of(
                    _ledger.Meters, meter => _ledger.Meters[meter].Meter is { } of && of.Domain.FollowsRuns() && (of.Package ?? -1) == package ? process.Active[meter] : 0);
                _sources.Add((process.Id, package), sources);
            }

            return sources;
        }

        private string? MachineOf(CoreTotals row) => row.ProcessId is { } id && _processes.TryGetValue(id, out ConsumerTotals? process)
            && process.Machine is { } machine && _machines.ContainsKey(machine) ? machine : null;

        private EnergyNode Rows(
            string kind, string id, string name, CoreTotals[] rows, Func<CoreTotals, EnergyFigure> figure, Func<IEnumerable<CoreTotals>, List<EnergyNode>>? below)
        {
            EnergyRate? rate = _earlier is null ? null : new EnergyRate(rows.Sum(Since), _seconds);
            long cpu = rows.Sum(row => row.Nanoseconds);
            long known = rows.Where(row => row.KiloCycles is not null).Sum(row => row.Nanoseconds);
            long cycles = rows.Sum(row => row.KiloCycles ?? 0);
            return EnergyNode.Parent(kind, id, name, EnergyFigure.Sum(rows.Select(figure)) with { Rate = rate }, below?.Invoke(rows)) with
            {
                CpuNanoseconds = cpu,
                KiloHertz = known == 0 ? null : (long)(cycles * 1e9 / known),
                Instructions = Counted(rows, row => row.Instructions),
                LlcMisses = Counted(rows, row => row.LlcMisses),
            };
        }

        // Not every row may be counted: the sum is then of those that are.
        private static long? Counted(CoreTotals[] rows, Func<CoreTotals, long?> count) => rows.Any(row => count(row) is not null) ? rows.Sum(row => count(row) ?? 0) : null;

        private IEnumerable<EnergyNode> Shares(int meter)
        {
            if (_policy == IdlePolicy.Separate)
            {
                yield break;
            }

            MeterTotals totals = _ledger.Meters[meter];
            EnergySources sources = EnergySources.Of(totals.Meter);
            EnergyFigure Static(long microjoules) => new(microjoules, totals.StaticBounds(microjoules), sources);
            EnergyFigure Borne(long microjoules, long active, in BoundSample bounds) => new(microjoules, totals.BorneBounds(microjoules, active, bounds), sources);
            List<EnergyNode> children = _policy == IdlePolicy.Allocated ?
            [
                EnergyNode.Leaf("departed", "departed", "machines that are gone", Static(totals.DepartedAllocated)),
                .. Bearing(ConsumerKind.Machine, "machine", consumer => Static(consumer.Static(IdlePolicy.Allocated, meter))),
            ] :
            [
                EnergyNode.Leaf("system", "system", "kernel threads and interrupts", Borne(totals.SystemProportional, totals.SystemActive, totals.SystemBounds)),
                EnergyNode.Leaf("unattributed", "unattributed", "runs unknown", Borne(totals.UnattributedProportional, totals.UnattributedActive, totals.UnattributedBounds)),
                EnergyNode.Leaf("departed", "departed", "ended processes", Borne(totals.DepartedProportional, totals.DepartedActive, totals.DepartedBounds)),
                .. Bearing(ConsumerKind.Process, "process", process => new EnergyFigure(
                    process.Proportional[meter], process.BorneBounds(_ledger, _policy, meter, Divided(process).Part(process.Active[meter])), sources)),
            ];
            yield return EnergyNode.Parent("shares", $"shares-{IdOf(meter)}", "static energy borne by consumers",
                Static(children.Sum(child => child.EnergyMicrojoules) ?? 0), children);

            IEnumerable<EnergyNode> Bearing(ConsumerKind kind, string word, Func<ConsumerTotals, EnergyFigure> part) => _ledger.Consumers
                .Where(consumer => consumer.Kind == kind).Select(consumer => (Consumer: consumer, Part: part(consumer)))
                .Where(bearing => bearing.Part.Microjoules != 0)
                .OrderByDescending(bearing => bearing.Part.Microjoules).ThenBy(bearing => bearing.Consumer.Id, StringComparer.Ordinal)
                .Select(bearing => EnergyNode.Leaf(word, bearing.Consumer.Id, bearing.Consumer.Name, bearing.Part));
        }

        private long Since(CoreTotals row)
        {
            _ = _earlier!.TryGetValue(Key(row), out long before);
            return Math.Max(0, row.Microjoules - before);
        }

        private string NameOf(CoreTotals row) =>
            row.ProcessId is { } id && _processes.TryGetValue(id, out ConsumerTotals? process) ? process.Name : row.ProcessId ?? row.Owner;

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
