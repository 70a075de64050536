using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>One request's view of the agent: everything is taken once, so that an answer is of one moment.</summary>
internal sealed class ApiView
{
    private readonly AgentParts _parts;
    private readonly TimeSpan _window;

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

    internal double? Watts(SeriesKey key) => Window(key) is { } window ? Watts(Energy(window), window.Seconds) : null;

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
        long active = consumer.TotalActive;
        long idle = consumer.TotalStatic(Policy);
        Power power = PowerOf(SeriesKey.Of(consumer), consumer.Bounds, active);
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
            EnergyMicrojoules = Metered(active + idle),
            ActiveMicrojoules = Metered(active),
            IdleMicrojoules = Bears(consumer.Kind) ? Metered(idle) : null,
            Low = Metered(consumer.Bounds.Low(active) + idle),
            High = Metered(consumer.Bounds.High(active) + idle),
            Quality = Quality(meter => consumer.Active[meter] + consumer.Static(Policy, meter)),
            Origin = Origin(meter => consumer.Active[meter] + consumer.Static(Policy, meter)),
            PowerWatts = power.Watts,
            PowerLowWatts = power.Low,
            PowerHighWatts = power.High,
            WindowSeconds = power.Seconds,
            Meters = ByMeter(consumer),
            CpuSeconds = consumer.CpuNanoseconds / 1e9,
            Instructions = consumer.Instructions,
            LlcMisses = consumer.LlcMisses,
            PssKibibytes = consumer.PssKibibytes,
        };
    }

    internal NamespaceDocument Namespace(string? name, IReadOnlyCollection<ConsumerTotals> pods)
    {
        BoundSample bounds = default;
        BoundSample windowBounds = default;
        long inWindow = 0;
        double seconds = 0;
        bool known = IsMetered;
        foreach (ConsumerTotals pod in pods)
        {
            bounds.Add(pod.Bounds);
            if (Window(SeriesKey.Of(pod)) is { } window)
            {
                inWindow += Energy(window);
                seconds = Math.Max(seconds, window.Seconds);
                windowBounds.Add(window.Bounds ?? Scaled(pod.Bounds, window.Active, pod.TotalActive));
            }
            else
            {
                known = false;
            }
        }

        long active = pods.Sum(pod => pod.TotalActive);
        long idle = pods.Sum(pod => pod.TotalStatic(Policy));
        long Of(int meter) => pods.Sum(pod => pod.Active[meter] + pod.Static(Policy, meter));
        return new NamespaceDocument
        {
            Name = name,
            Pods = pods.Count,
            EnergyMicrojoules = Metered(active + idle),
            ActiveMicrojoules = Metered(active),
            IdleMicrojoules = Bears(ConsumerKind.Pod) ? Metered(idle) : null,
            Low = Metered(bounds.Low(active) + idle),
            High = Metered(bounds.High(active) + idle),
            Quality = Quality(Of),
            Origin = Origin(Of),
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
        WindowEnergy? window = Window(new SeriesKey(SeriesKind.Domain, meter.Id));
        double? watts = window is { } known ? Watts(known.Active, known.Seconds) : null;
        long processes = 0, allocated = totals.DepartedAllocated;
        foreach (ConsumerTotals consumer in Ledger.Consumers)
        {
            processes += consumer.Kind == ConsumerKind.Process ? consumer.Active[index] + consumer.Static(Policy, index) : 0;
            allocated += consumer.Kind == ConsumerKind.Machine ? consumer.Static(IdlePolicy.Allocated, index) : 0;
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
            ActiveMicrojoules = totals.Total - totals.Static,
            StaticMicrojoules = totals.Static,
            StaticWatts = Watts(new SeriesKey(SeriesKind.Static, meter.Id)),
            ProcessesMicrojoules = processes,
            IdleMicrojoules = totals.Idle(Policy),
            SystemMicrojoules = totals.SystemActive + (Policy == IdlePolicy.Proportional ? totals.SystemProportional : 0),
            UnattributedMicrojoules = totals.UnattributedActive + (Policy == IdlePolicy.Proportional ? totals.UnattributedProportional : 0),
            EndedMicrojoules = totals.DepartedActive + (Policy == IdlePolicy.Proportional ? totals.DepartedProportional : 0),
            OverheadMicrojoules = totals.Overhead > 0 || meter.Domain == EnergyDomain.Overhead ? totals.Overhead : null,
            AllocatedMicrojoules = Policy == IdlePolicy.Allocated ? allocated : null,
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
        return
        [
            .. Ledger.Cores.Where(row => row.ProcessId == process.Id).Select(row => new CoreDocument
            {
                Cpu = row.Cpu < 0 ? null : row.Cpu,
                Core = Place(row.Cpu)?.Core,
                Package = row.Package < 0 ? Place(row.Cpu)?.Package : row.Package,
                EnergyMicrojoules = Metered(row.Microjoules),
                PowerWatts = comparable ? Watts(row.Microjoules - before.GetValueOrDefault((row.Package, row.Cpu)), seconds) : null,
                CpuSeconds = row.Nanoseconds / 1e9,
                KiloHertz = row is { KiloCycles: { } cycles, Nanoseconds: > 0 } ? (long)(cycles * 1e9 / row.Nanoseconds) : null,
            }),
        ];
    }

    // Static energy is allocated to machines only; what others have of it is not zero, but no figure.
    private bool Bears(ConsumerKind kind) => Policy == IdlePolicy.Proportional || (Policy == IdlePolicy.Allocated && kind == ConsumerKind.Machine);

    private CpuPlace? Place(int cpu) => cpu < 0 ? null : Ledger.Topology.Place(cpu);

    private Dictionary<string, long> ByMeter(ConsumerTotals consumer)
    {
        var byMeter = new Dictionary<string, long>(Ledger.Meters.Length);
        for (int meter = 0; meter < Ledger.Meters.Length; meter++)
        {
            // A process's part of the memory's energy goes by its memory: where that is not known, neither is the part.
            long part = consumer.Active[meter] + consumer.Static(Policy, meter);
            if (part != 0 || Ledger.Meters[meter].Meter.Domain.FollowsRuns() || consumer is not { Kind: ConsumerKind.Process, PssKibibytes: null })
            {
                byMeter.Add(Ledger.Meters[meter].Meter.Id, part);
            }
        }

        return byMeter;
    }

    private Power PowerOf(SeriesKey key, BoundSample whole, long total)
    {
        if (!IsMetered || Window(key) is not { } window)
        {
            return default;
        }

        // Beyond a minute the ring store keeps no bounds: those since the epoch, in proportion.
        BoundSample bounds = window.Bounds ?? Scaled(whole, window.Active, total);
        long share = Energy(window) - window.Active;
        return new Power(
            Watts(Energy(window), window.Seconds),
            Watts(bounds.Low(window.Active) + share, window.Seconds),
            Watts(bounds.High(window.Active) + share, window.Seconds),
            Math.Round(window.Seconds, 3));
    }

    private static BoundSample Scaled(BoundSample whole, long part, long total)
    {
        double factor = total == 0 ? 0 : (double)part / total;
        return new BoundSample
        {
            SystematicBelow = whole.SystematicBelow * factor,
            SystematicAbove = whole.SystematicAbove * factor,
            RandomSquare = whole.RandomSquare * factor,
        };
    }

    private long Energy(WindowEnergy window) => window.Active + window.Static(Policy);

    private string? Quality(Func<int, long> part)
    {
        ReadingQuality? worst = null;
        for (int meter = 0; meter < Ledger.Meters.Length; meter++)
        {
            ReadingQuality quality = Ledger.Meters[meter].Meter.Quality;
            worst = part(meter) != 0 && (worst is null || quality > worst) ? quality : worst;
        }

        return worst?.Name();
    }

    private string? Origin(Func<int, long> part)
    {
        int seen = 0;
        for (int meter = 0; meter < Ledger.Meters.Length; meter++)
        {
            seen |= part(meter) != 0 ? 1 << (int)Ledger.Meters[meter].Meter.Origin : 0;
        }

        return seen == 0 ? null : string.Join('+', Enum.GetValues<EnergyOrigin>().Where(origin => (seen & (1 << (int)origin)) != 0).Select(origin => origin.Name()));
    }

    private DateTime? Moment(long nanoseconds) => _parts.History.WallTime(nanoseconds) is { } moment ? Whole(moment.UtcDateTime) : null;

    // Milliseconds are enough for people, and make answers comparable.
    internal static DateTime Whole(DateTime moment) => new(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);

    internal static double? Watts(long microjoules, double seconds) => seconds > 0 ? Round(microjoules / 1e6 / seconds) : null;

    private static double? Round(double? watts) => watts is { } known ? Math.Round(known, 6) : null;

    private readonly record struct Power(double? Watts, double? Low, double? High, double? Seconds);
}
