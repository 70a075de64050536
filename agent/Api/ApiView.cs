using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>One request's view of the agent: everything is taken once, so that an answer is of one moment.</summary>
internal sealed class ApiView
{
    private readonly AgentParts _parts;
    private readonly TimeSpan _window;
    private readonly Dictionary<ConsumerTotals, Divisible> _divided = new(ReferenceEqualityComparer.Instance);

    internal ApiView(AgentParts parts, IdlePolicy policy, TimeSpan window)
    {
        _parts = parts;
        _window = window;
        Ledger = parts.State.Ledger();
        Node = parts.State.Node();
        Policy = policy;
        At = Moment(Ledger.EndNanoseconds) ?? Whole(parts.Time.GetUtcNow().UtcDateTime);
        EpochStartedAt = Moment(Ledger.StartNanoseconds);
    }

    internal LedgerSnapshot Ledger { get; }

    internal NodeFacts Node { get; }

    internal IdlePolicy Policy { get; }

    internal DateTime At { get; }

    internal DateTime? EpochStartedAt { get; }

    /// <summary>How much history may hold now.</summary>
    internal HistoryLayout HistoryLayout => _parts.History.Layout;

    /// <summary>The ledger some ten to twenty seconds ago; null where it cannot be compared with this one.</summary>
    internal LedgerSnapshot? Earlier =>
        _parts.History.Earlier() is { } earlier && earlier.Epoch == Ledger.Epoch && earlier.EndNanoseconds < Ledger.EndNanoseconds ? earlier : null;

    /// <summary>Whether there is any meter: without one all energy is unknown, and not zero.</summary>
    internal bool IsMetered => !Ledger.Meters.IsEmpty;

    /// <summary>An energy of this ledger, µJ; null where there is no meter.</summary>
    internal long? Metered(long microjoules) => IsMetered ? microjoules : null;

    internal WindowEnergy? Window(SeriesKey key) => _parts.History.Energy(key, _window);

    internal EnergyRate? Rate(SeriesKey key) => Window(key) is { } window ? new EnergyRate(Energy(window), window.Seconds) : null;

    internal double? Watts(SeriesKey key) => Rate(key)?.Watts;

    /// <summary>What the bounds of a consumer's parts follow from; worked out once.</summary>
    internal Divisible Divided(ConsumerTotals consumer)
    {
        if (!_divided.TryGetValue(consumer, out Divisible divisible))
        {
            _divided.Add(consumer, divisible = consumer.Divide(Ledger));
        }

        return divisible;
    }

    internal long Energy(ConsumerTotals consumer) => consumer.TotalActive + consumer.TotalStatic(Policy);

    internal double PowerRank(ConsumerTotals consumer) => Watts(SeriesKey.Of(consumer)) ?? -1;

    internal string? NamespaceOf(ConsumerTotals consumer) =>
        (consumer.Kind == ConsumerKind.Pod ? consumer.Id : consumer.PodUid) is { } uid ? _parts.Names.Pod(uid)?.Namespace : null;

    internal ConsumerDocument Consumer(ConsumerTotals consumer)
    {
        string? uid = consumer.Kind == ConsumerKind.Pod ? consumer.Id : consumer.PodUid;
        PodName? pod = uid is null ? null : _parts.Names.Pod(uid);
        string? id = consumer.Kind == ConsumerKind.Container ? consumer.Id : consumer.Container;
        ContainerName? container = id is null ? null : _parts.Names.Container(id);
        bool process = consumer.Kind == ConsumerKind.Process;
        EnergyFigure own = consumer.ActiveFigure(Ledger), borne = consumer.StaticFigure(Ledger, Policy), whole = EnergyFigure.Sum([own, borne]);
        Power power = PowerOf(SeriesKey.Of(consumer), own, borne);
        Dictionary<string, BoundsDocument>? bounds = IsMetered ? new() { ["active"] = Of(own) } : null;
        if (Bears(consumer.Kind))
        {
            bounds?.Add("idle", Of(borne));
        }

        return new ConsumerDocument
        {
            Kind = SeriesKey.KindNames[(int)SeriesKey.Of(consumer).Kind],
            Id = process ? consumer.Pid.ToString(CultureInfo.InvariantCulture) : consumer.Id,
            Key = SeriesKey.Of(consumer).Text,
            Name = consumer.Kind switch
            {
                ConsumerKind.Pod => pod?.Name ?? consumer.Name,
                ConsumerKind.Container => container?.Name ?? consumer.Name,
                _ => consumer.Name,
            },
            Namespace = pod?.Namespace,
            Pid = process ? consumer.Pid : null,
            Cgroup = consumer.Cgroup,
            Container = process ? consumer.Container : null,
            ContainerName = process ? container?.Name : null,
            Runtime = consumer.Kind == ConsumerKind.Container ? container?.Runtime : null,
            PodUid = consumer.Kind == ConsumerKind.Pod ? null : consumer.PodUid,
            MachineUuid = process ? consumer.Machine : null,
            Pod = consumer.Kind == ConsumerKind.Pod ? null : pod?.Name,
            Ended = consumer.Ended,
            EnergyMicrojoules = Metered(whole.Microjoules),
            ActiveMicrojoules = Metered(own.Microjoules),
            IdleMicrojoules = Bears(consumer.Kind) ? Metered(borne.Microjoules) : null,
            Low = Metered(whole.Low),
            High = Metered(whole.High),
            Quality = whole.Sources.Quality,
            Origin = whole.Sources.Origin,
            PowerWatts = power.Watts,
            PowerLowWatts = power.Low,
            PowerHighWatts = power.High,
            WindowSeconds = power.Seconds,
            Meters = ByMeter(consumer, bounds),
            Bounds = bounds,
            CpuSeconds = consumer.CpuNanoseconds / 1e9,
            Instructions = consumer.Instructions,
            LlcMisses = consumer.LlcMisses,
            PssKibibytes = consumer.PssKibibytes,
        };
    }

    internal NamespaceDocument Namespace(string? name, IReadOnlyCollection<ConsumerTotals> pods)
    {
        BoundSample windowBounds = default;
        long inWindow = 0;
        double seconds = 0;
        bool known = IsMetered;
        foreach (ConsumerTotals pod in pods)
        {
            if (Window(SeriesKey.Of(pod)) is { } window)
            {
                inWindow += Energy(window);
                seconds = Math.Max(seconds, window.Seconds);
                windowBounds.Add(WindowBounds(window, pod.ActiveFigure(Ledger), pod.StaticFigure(Ledger, Policy)));
            }
            else
            {
                known = false;
            }
        }

        EnergyFigure own = EnergyFigure.Sum(pods.Select(pod => pod.ActiveFigure(Ledger)));
        EnergyFigure borne = EnergyFigure.Sum(pods.Select(pod => pod.StaticFigure(Ledger, Policy)));
        EnergyFigure whole = EnergyFigure.Sum([own, borne]);
        bool bears = Bears(ConsumerKind.Pod);
        return new NamespaceDocument
        {
            Name = name,
            Pods = pods.Count,
            EnergyMicrojoules = Metered(whole.Microjoules),
            ActiveMicrojoules = Metered(own.Microjoules),
            IdleMicrojoules = bears ? Metered(borne.Microjoules) : null,
            Bounds = !IsMetered ? null : bears ? new Dictionary<string, BoundsDocument> { ["active"] = Of(own), ["idle"] = Of(borne) } : new() { ["active"] = Of(own) },
            Low = Metered(whole.Low),
            High = Metered(whole.High),
            Quality = whole.Sources.Quality,
            Origin = whole.Sources.Origin,
            PowerWatts = known ? Watts(inWindow, seconds) : null,
            PowerLowWatts = known ? Watts(windowBounds.Low(inWindow), seconds) : null,
            PowerHighWatts = known ? Watts(windowBounds.High(inWindow), seconds) : null,
            WindowSeconds = known ? Math.Round(seconds, 3) : null,
        };
    }

    internal DomainDocument Domain(int index)
    {
        MeterTotals totals = Ledger.Meters[index];
        Meter meter = totals.Meter;
        WindowEnergy? window = totals.Current ? Window(new SeriesKey(SeriesKind.Domain, meter.Id)) : null;
        double? watts = window is { } known ? Watts(known.Active, known.Seconds) : null;
        long processes = 0, allocated = totals.DepartedAllocated;
        BoundSample bounds = default;
        foreach (ConsumerTotals consumer in Ledger.Consumers)
        {
            if (consumer.Kind == ConsumerKind.Process)
            {
                bounds.Add(PartOf(consumer, index));
            }

            processes += consumer.Kind == ConsumerKind.Process ? consumer.Active[index] + consumer.Static(Policy, index) : 0;
            allocated += consumer.Kind == ConsumerKind.Machine ? consumer.Static(IdlePolicy.Allocated, index) : 0;
        }

        bool proportional = Policy == IdlePolicy.Proportional;
        long active = totals.Total - totals.Static, system = totals.SystemActive + (proportional ? totals.SystemProportional : 0);
        long unattributed = totals.UnattributedActive + (proportional ? totals.UnattributedProportional : 0);
        long ended = totals.DepartedActive + (proportional ? totals.DepartedProportional : 0);
        bool overhead = totals.Overhead > 0 || meter.Domain == EnergyDomain.Overhead;

        // What is not static is active: they are off by the same, the other way round; the meter itself is off as well.
        BoundSample fixedPart = totals.StaticBounds(totals.Static), moving = totals.Common(active);
        (moving.SystematicBelow, moving.SystematicAbove) = (moving.SystematicBelow + fixedPart.SystematicAbove, moving.SystematicAbove + fixedPart.SystematicBelow);

        // All processes together are known both ways: as their sum, and as what the others leave of the active energy.
        EnergyFigure systemPart = totals.Bearing(totals.SystemActive, system - totals.SystemActive, totals.SystemBounds);
        EnergyFigure unknownPart = totals.Bearing(totals.UnattributedActive, unattributed - totals.UnattributedActive, totals.UnattributedBounds);
        EnergyFigure endedPart = totals.Bearing(totals.DepartedActive, ended - totals.DepartedActive, totals.DepartedBounds);
        BoundSample left = moving;
        foreach (BoundSample other in (ReadOnlySpan<BoundSample>)[systemPart.Bounds, unknownPart.Bounds, endedPart.Bounds])
        {
            left.Add(new BoundSample { SystematicBelow = other.SystematicAbove, SystematicAbove = other.SystematicBelow, RandomSquare = other.RandomSquare });
        }

        bounds = left.SystematicBelow + left.SystematicAbove < bounds.SystematicBelow + bounds.SystematicAbove ? left : bounds;
        Dictionary<string, BoundsDocument> parts = new()
        {
            ["active"] = Of(new EnergyFigure(active, moving, default)),
            ["static"] = Of(new EnergyFigure(totals.Static, fixedPart, default)),
            ["processes"] = Of(new EnergyFigure(processes, bounds, default)),
            ["idle"] = Of(new EnergyFigure(totals.Idle(Policy), totals.StaticBounds(totals.Idle(Policy)), default)),
            ["system"] = Of(systemPart),
            ["unattributed"] = Of(unknownPart),
            ["ended"] = Of(endedPart),
        };
        if (overhead)
        {
            parts.Add("overhead", Of(new EnergyFigure(totals.Overhead, totals.Common(totals.Overhead), default)));
        }

        if (Policy == IdlePolicy.Allocated)
        {
            parts.Add("allocated", Of(new EnergyFigure(allocated, totals.StaticBounds(allocated), default)));
        }

        return new DomainDocument
        {
            Meter = meter.Id,
            Domain = meter.Domain.Name(),
            Package = meter.Package,
            Origin = meter.Origin.Name(),
            Quality = meter.Quality.Name(),
            EnergyMicrojoules = totals.Total,
            Low = totals.Low,
            High = totals.High,
            ActiveMicrojoules = active,
            StaticMicrojoules = totals.Static,
            StaticWatts = totals.Current ? Watts(new SeriesKey(SeriesKind.Static, meter.Id)) : null,
            ProcessesMicrojoules = processes,
            IdleMicrojoules = totals.Idle(Policy),
            SystemMicrojoules = system,
            UnattributedMicrojoules = unattributed,
            EndedMicrojoules = ended,
            OverheadMicrojoules = overhead ? totals.Overhead : null,
            AllocatedMicrojoules = Policy == IdlePolicy.Allocated ? allocated : null,
            Bounds = parts,
            PowerWatts = watts,
            PowerLowWatts = Round(watts * (totals.Total == 0 ? meter.LowFactor : totals.Low / (double)totals.Total)),
            PowerHighWatts = Round(watts * (totals.Total == 0 ? meter.HighFactor : totals.High / (double)totals.Total)),
            WindowSeconds = window is { } seen ? Math.Round(seen.Seconds, 3) : null,
        };
    }

    /// <summary>Where a process ran, with the power of the last 10 to 20 s by CPU.</summary>
    internal CoreDocument[] Cores(ConsumerTotals process)
    {
        LedgerSnapshot? earlier = Earlier;
        bool comparable = earlier is not null && IsMetered;
        double seconds = comparable ? (Ledger.EndNanoseconds - earlier!.EndNanoseconds) / 1e9 : 0;
        Dictionary<(int, int), long> before = comparable
            ? earlier!.Cores.Where(row => row.ProcessId == process.Id).GroupBy(row => (row.Package, row.Cpu))
                .ToDictionary(group => group.Key, group => group.Sum(row => row.Microjoules))
            : [];
        return [.. Ledger.Cores.Where(row => row.ProcessId == process.Id).Select(Core)];

        CoreDocument Core(CoreTotals row)
        {
            EnergyFigure figure = new(
                row.Microjoules,
                Divided(process).Part(row.Microjoules),
                EnergySources.Of(Ledger.Meters, meter => Ledger.Meters[meter].Meter is { } of && of.Domain.FollowsRuns() && (of.Package ?? -1) == row.Package ? process.Active[meter] : 0),
                comparable ? new EnergyRate(row.Microjoules - before.GetValueOrDefault((row.Package, row.Cpu)), seconds) : null);
            return Filled(figure, new CoreDocument
            {
                Cpu = row.Cpu < 0 ? null : row.Cpu,
                Core = Place(row.Cpu)?.Core,
                Package = row.Package < 0 ? Place(row.Cpu)?.Package : row.Package,
                CpuSeconds = row.Nanoseconds / 1e9,
                KiloHertz = row is { KiloCycles: { } cycles, Nanoseconds: > 0 } ? (long)(cycles * 1e9 / row.Nanoseconds) : null,
                Instructions = row.Instructions,
                LlcMisses = row.LlcMisses,
            });
        }
    }

    /// <summary>A document with its figures filled in; absent where there is no meter.</summary>
    internal T Filled<T>(EnergyFigure figure, T document)
        where T : FigureDocument => !IsMetered ? document : document with
        {
            EnergyMicrojoules = figure.Microjoules,
            Low = figure.Low,
            High = figure.High,
            Quality = figure.Sources.Quality,
            Origin = figure.Sources.Origin,
            PowerWatts = figure.Rate?.Watts,
            PowerLowWatts = figure.LowWatts,
            PowerHighWatts = figure.HighWatts,
            WindowSeconds = figure.Rate is { } rate ? Math.Round(rate.Seconds, 3) : null,
        };

    internal static BoundsDocument Of(EnergyFigure figure) => new(figure.Low, figure.High);

    // Static energy is allocated to machines only; what others have of it is not zero, but no figure.
    private bool Bears(ConsumerKind kind) => Policy == IdlePolicy.Proportional || (Policy == IdlePolicy.Allocated && kind == ConsumerKind.Machine);

    private CpuPlace? Place(int cpu) => cpu < 0 ? null : Ledger.Topology.Place(cpu);

    // Bounds of all that a consumer has of one meter.
    private BoundSample PartOf(ConsumerTotals consumer, int meter)
    {
        BoundSample active = consumer.Active[meter] == 0 ? default : Divided(consumer).Part(consumer.Active[meter]), bounds = active;
        bounds.Add(consumer.BorneBounds(Ledger, Policy, meter, active));
        return bounds;
    }

    private Dictionary<string, long> ByMeter(ConsumerTotals consumer, Dictionary<string, BoundsDocument>? bounds)
    {
        var byMeter = new Dictionary<string, long>(Ledger.Meters.Length);
        Dictionary<string, BoundSample> sums = [];
        for (int meter = 0; meter < Ledger.Meters.Length; meter++)
        {
            // A process's part of the memory's energy goes by its memory: where that is not known, neither is the part.
            long part = consumer.Active[meter] + consumer.Static(Policy, meter);
            if (part != 0 || Ledger.Meters[meter].Meter.Domain.FollowsRuns() || consumer is not { Kind: ConsumerKind.Process, PssKibibytes: null })
            {
                // A meter may have been of another origin before: another column with the same id.
                string id = Ledger.Meters[meter].Meter.Id;
                BoundSample known = sums.GetValueOrDefault(id);
                known.Add(PartOf(consumer, meter));
                (sums[id], byMeter[id]) = (known, byMeter.GetValueOrDefault(id) + part);
            }
        }

        foreach ((string id, BoundSample sum) in sums)
        {
            if (byMeter[id] != 0)
            {
                _ = bounds?.TryAdd(id, Of(new EnergyFigure(byMeter[id], sum, default)));
            }
        }

        return byMeter;
    }

    private Power PowerOf(SeriesKey key, EnergyFigure own, EnergyFigure borne)
    {
        if (!IsMetered || Window(key) is not { } window)
        {
            return default;
        }

        long energy = Energy(window);
        BoundSample bounds = WindowBounds(window, own, borne);
        return new Power(
            Watts(energy, window.Seconds), Watts(bounds.Low(energy), window.Seconds), Watts(bounds.High(energy), window.Seconds), Math.Round(window.Seconds, 3));
    }

    // Bounds of the active energy are kept for a minute; all of it beyond, and the static energy's, are those since the epoch, in proportion.
    private BoundSample WindowBounds(WindowEnergy window, EnergyFigure own, EnergyFigure borne)
    {
        BoundSample bounds = window.Bounds ?? InTime(own, window.Active);
        bounds.Add(InTime(borne, window.Static(Policy)));
        return bounds;
    }

    private static BoundSample InTime(EnergyFigure since, long late) => since.Microjoules == 0 ? default : since.Bounds.InTime((double)late / since.Microjoules);

    private long Energy(WindowEnergy window) => window.Active + window.Static(Policy);

    private DateTime? Moment(long nanoseconds) => _parts.History.WallTime(nanoseconds) is { } moment ? Whole(moment.UtcDateTime) : null;

    // Milliseconds are enough for people, and make answers comparable.
    internal static DateTime Whole(DateTime moment) => new(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);

    internal static double? Watts(long microjoules, double seconds) => seconds > 0 ? Round(microjoules / 1e6 / seconds) : null;

    private static double? Round(double? watts) => watts is { } known ? Math.Round(known, 6) : null;

    private readonly record struct Power(double? Watts, double? Low, double? High, double? Seconds);
}
