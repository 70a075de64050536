using System.Collections.Immutable;
using System.Text.Json;

namespace Keck.Metering;

/// <summary>Reads the header line and those of its parts that a tick may repeat when they change.</summary>
internal static class TraceHeaderReader
{
    internal const int MostCpus = 8192;
    internal const int HighestCpu = 65_535;
    internal const int MostMeters = 4096;
    internal const int HighestPackage = 1023;
    internal const int HighestRow = (1 << 21) - 1;
    internal const long LongestTime = long.MaxValue / 4;
    private const double Huge = 1e30;

    internal static TraceHeader Read(JsonElement root)
    {
        TraceFields.RequireObject(root, "the header");
        string? format = TraceFields.TextOrNull(root, "format"u8);
        if (format != TraceHeader.Format)
        {
            throw new TraceFormatException($"this is no trace (format is {(format is null ? "missing" : $"\"{TraceFields.Shorten(format)}\"")}); a trace begins with {{\"format\":\"{TraceHeader.Format}\",\"version\":{TraceHeader.Version},…}}");
        }

        long version = TraceFields.Long(root, "version"u8, 1, int.MaxValue);
        if (version != TraceHeader.Version)
        {
            throw new TraceFormatException($"version {version} of the format is newer than {TraceHeader.Version}, the one this program reads; use a newer keck-host");
        }

        ImmutableArray<Meter> meters = ReadMeters(root, "meters"u8);
        return new TraceHeader
        {
            Host = TraceFields.TextOrNull(root, "host"u8),
            StartedAt = ReadTime(root),
            Source = TraceFields.TextOrNull(root, "source"u8),
            Cpu = TraceFields.TryGet(root, "cpu"u8, out JsonElement cpu) ? ReadCpu(cpu) : null,
            Topology = TraceFields.TryGet(root, "topology"u8, out JsonElement topology) ? ReadTopology(topology) : throw new TraceFormatException("topology is missing"),
            Meters = meters,
            Machines = ReadMachines(root),
            InitialState = TraceFields.TryGet(root, "initialState"u8, out JsonElement state) ? ReadState(state) : null,
        };
    }

    internal static Topology ReadTopology(JsonElement element)
    {
        TraceFields.RequireObject(element, "topology");
        List<CpuPlace> places = [];
        HashSet<int> seen = [];
        foreach (JsonElement item in TraceFields.Array(element, "cpus"u8, MostCpus))
        {
            TraceFields.RequireObject(item, "a CPU of topology");
            int cpu = TraceFields.Int(item, "cpu"u8, 0, HighestCpu);
            if (!seen.Add(cpu))
            {
                throw new TraceFormatException($"topology lists CPU {cpu} twice");
            }

            places.Add(new CpuPlace(
                cpu,
                TraceFields.IntOrNull(item, "core"u8, 0, int.MaxValue) ?? cpu,
                TraceFields.IntOrNull(item, "package"u8, 0, HighestPackage) ?? 0,
                TraceFields.IntOrNull(item, "numaNode"u8, 0, HighestCpu) ?? 0));
        }

        List<OfflineCpu> offline = [];
        foreach (JsonElement item in TraceFields.Array(element, "offline"u8, MostCpus))
        {
            TraceFields.RequireObject(item, "an offline CPU of topology");
            int cpu = TraceFields.Int(item, "cpu"u8, 0, HighestCpu);
            if (!seen.Add(cpu))
            {
                throw new TraceFormatException($"topology lists CPU {cpu} twice");
            }

            offline.Add(new OfflineCpu(cpu, TraceFields.Int(item, "package"u8, 0, HighestPackage)));
        }

        return new Topology(places, TraceFields.LongOrNull(element, "baseKiloHertz"u8, 1, 100_000_000) is { } kilohertz ? new Kilohertz(kilohertz) : null, offline)
        {
            MemoryKibibytes = TraceFields.LongOrNull(element, "memoryKibibytes"u8, 0, LongestTime),
        };
    }

    internal static ImmutableArray<Meter> ReadMeters(JsonElement owner, ReadOnlySpan<byte> name, bool unique = true)
    {
        ImmutableArray<Meter>.Builder meters = ImmutableArray.CreateBuilder<Meter>();
        HashSet<string> ids = new(StringComparer.Ordinal);
        foreach (JsonElement item in TraceFields.Array(owner, name, MostMeters))
        {
            TraceFields.RequireObject(item, "a meter");
            string id = TraceFields.Text(item, "id"u8);
            if (!ids.Add(id) && unique)
            {
                throw new TraceFormatException($"meter \"{TraceFields.Shorten(id)}\" is listed twice");
            }

            string domain = TraceFields.Text(item, "domain"u8);
            string origin = TraceFields.Text(item, "origin"u8);
            string quality = TraceFields.Text(item, "quality"u8);
            meters.Add(new Meter
            {
                Id = id,
                Domain = EnergyDomains.Parse(domain) ?? throw TraceFields.Unknown("domain", domain, Names(Enum.GetValues<EnergyDomain>(), EnergyDomains.Name)),
                Package = TraceFields.IntOrNull(item, "package"u8, 0, HighestPackage),
                Core = TraceFields.IntOrNull(item, "core"u8, 0, int.MaxValue),
                Cpu = TraceFields.IntOrNull(item, "cpu"u8, 0, HighestCpu),
                Origin = EnergyOrigins.ParseOrigin(origin) ?? throw TraceFields.Unknown("origin", origin, Names(Enum.GetValues<EnergyOrigin>(), EnergyOrigins.Name)),
                Quality = EnergyOrigins.ParseQuality(quality) ?? throw TraceFields.Unknown("quality", quality, Names(Enum.GetValues<ReadingQuality>(), EnergyOrigins.Name)),
                Selected = TraceFields.BoolOrNull(item, "selected"u8) ?? false,
                NotSelectedBecause = TraceFields.TextOrNull(item, "notSelectedBecause"u8),
                Quantum = TraceFields.LongOrNull(item, "quantumMicrojoules"u8, 0, TraceReader.MostMicrojoules) is { } quantum ? new Microjoules(quantum) : null,
                LowFactor = TraceFields.DoubleOrNull(item, "lowFactor"u8, 0, 1) ?? 1,
                HighFactor = TraceFields.DoubleOrNull(item, "highFactor"u8, 1, 1e6) ?? 1,
                KnownStaticWatts = TraceFields.DoubleOrNull(item, "knownStaticWatts"u8, 0, 1e9),
            });
        }

        return meters.ToImmutable();
    }

    /// <summary>Reads a machine; what is not told of it stays as known.</summary>
    internal static MachineRow ReadMachine(JsonElement item, Func<string, MachineRow?> known)
    {
        TraceFields.RequireObject(item, "a machine");
        string uuid = TraceFields.Text(item, "uuid"u8);
        MachineRow before = known(uuid) ?? new MachineRow(uuid);
        string? happened = TraceFields.TextOrNull(item, "event"u8);
        return before with
        {
            Name = TraceFields.TextOrNull(item, "name"u8) ?? before.Name,
            Vcpus = TraceFields.IntOrNull(item, "vcpus"u8, 0, HighestCpu) ?? before.Vcpus,
            MemoryKibibytes = TraceFields.LongOrNull(item, "memoryKibibytes"u8, 0, LongestTime) ?? before.MemoryKibibytes,
            Running = happened switch
            {
                null => before.Running,
                "started" or "migratedIn" => true,
                "stopped" or "migratedOut" => false,
                _ => throw TraceFields.Unknown("event", happened, "started, stopped, migratedIn, migratedOut"),
            },
        };
    }

    private static ImmutableArray<MachineRow> ReadMachines(JsonElement root)
    {
        ImmutableArray<MachineRow>.Builder machines = ImmutableArray.CreateBuilder<MachineRow>();
        foreach (JsonElement item in TraceFields.Array(root, "machines"u8, HighestCpu))
        {
            machines.Add(ReadMachine(item, static _ => null));
        }

        return machines.ToImmutable();
    }

    private static DateTimeOffset? ReadTime(JsonElement root)
    {
        if (!TraceFields.TryGet(root, "startedAt"u8, out JsonElement value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out DateTimeOffset time)
            ? time
            : throw new TraceFormatException("startedAt must be a time such as \"2026-11-23T22:00:00Z\"");
    }

    internal static TraceCpu ReadCpu(JsonElement item)
    {
        TraceFields.RequireObject(item, "cpu");
        return new TraceCpu(
            TraceFields.TextOrNull(item, "vendor"u8),
            TraceFields.IntOrNull(item, "family"u8, 0, int.MaxValue),
            TraceFields.IntOrNull(item, "model"u8, 0, int.MaxValue),
            TraceFields.IntOrNull(item, "stepping"u8, 0, int.MaxValue),
            TraceFields.TextOrNull(item, "microcode"u8),
            TraceFields.TextOrNull(item, "name"u8));
    }

    private static TraceInitialState ReadState(JsonElement element)
    {
        TraceFields.RequireObject(element, "initialState");
        AttributionOptions usual = new();
        string model = TraceFields.TextOrNull(element, "model"u8) ?? "auto";
        string idle = TraceFields.TextOrNull(element, "idle"u8) ?? IdlePolicy.Separate.Name();
        AttributionOptions options = new()
        {
            Model = model == "auto" ? null : AttributionNames.ParseModel(model) ?? throw TraceFields.Unknown("model", model, "auto, time, frequency, full, calibrated, adaptive"),
            Alpha = TraceFields.DoubleOrNull(element, "alpha"u8, 0, 10) ?? usual.Alpha,
            Beta = TraceFields.DoubleOrNull(element, "beta"u8, 0, 100) ?? usual.Beta,
            SharedWeight = TraceFields.DoubleOrNull(element, "sharedWeight"u8, 0.5, 1) ?? usual.SharedWeight,
            Signatures = TraceFields.BoolOrNull(element, "signatures"u8) ?? usual.Signatures,
            IdlePrior = ReadPrior(element),
            DramPssPart = TraceFields.DoubleOrNull(element, "dramPssPart"u8, 0, 1) ?? usual.DramPssPart,
        };
        IdlePolicy policy = AttributionNames.ParsePolicy(idle) ?? throw TraceFields.Unknown("idle", idle, "separate, proportional, allocated");

        ImmutableSortedDictionary<string, MeterCarry>.Builder carries = ImmutableSortedDictionary.CreateBuilder<string, MeterCarry>(StringComparer.Ordinal);
        foreach (JsonElement item in TraceFields.Array(element, "carries"u8, MostMeters))
        {
            TraceFields.RequireObject(item, "a carry");
            carries[TraceFields.Text(item, "id"u8)] = ReadCarry(item);
        }

        return new TraceInitialState(options, policy, new AttributorState(ReadFloors(element), carries.ToImmutable(), SignatureStateJson.Read(element)), TraceFields.TextOrNull(element, "calibration"u8));
    }

    private static IdlePrior? ReadPrior(JsonElement element)
    {
        if (!TraceFields.TryGet(element, "idlePrior"u8, out JsonElement item))
        {
            return null;
        }

        TraceFields.RequireObject(item, "idlePrior");
        double least = TraceFields.DoubleOrNull(item, "least"u8, 0.001, 1) ?? 0, ratio = TraceFields.DoubleOrNull(item, "idleToFull"u8, 0.001, 1) ?? 0, most = TraceFields.DoubleOrNull(item, "most"u8, 0.001, 1) ?? 0;
        return least > 0 && least <= ratio && ratio <= most
            ? new IdlePrior(ratio, least, most, TraceFields.Text(item, "source"u8))
            : throw new TraceFormatException("idlePrior must have least, idleToFull and most, in this order");
    }

    internal static ImmutableSortedDictionary<string, StaticFloorState> ReadFloors(JsonElement element)
    {
        ImmutableSortedDictionary<string, StaticFloorState>.Builder floors = ImmutableSortedDictionary.CreateBuilder<string, StaticFloorState>(StringComparer.Ordinal);
        foreach (JsonElement item in TraceFields.Array(element, "floors"u8, MostMeters))
        {
            TraceFields.RequireObject(item, "a floor");
            floors[TraceFields.Text(item, "id"u8)] = ReadFloor(item);
        }

        return floors.ToImmutable();
    }

    internal static StaticFloorState ReadFloor(JsonElement item) => new(
        TraceFields.DoubleOrNull(item, "watts"u8, 0, 1e9),
        TraceFields.BoolOrNull(item, "seenIdle"u8) ?? false,
        TraceFields.DoubleOrNull(item, "windowMicrojoules"u8, 0, Huge) ?? 0,
        TraceFields.DoubleOrNull(item, "windowBusyNanoseconds"u8, 0, Huge) ?? 0,
        TraceFields.DoubleOrNull(item, "windowCapacityNanoseconds"u8, 0, Huge) ?? 0,
        TraceFields.LongOrNull(item, "windowNanoseconds"u8, 0, LongestTime) ?? 0,
        TraceFields.DoubleOrNull(item, "idleWatts"u8, 0, 1e9) ?? 0,
        TraceFields.DoubleOrNull(item, "idleUtilisation"u8, 0, 1) ?? 0,
        TraceFields.DoubleOrNull(item, "idleToFull"u8, 0, 1) ?? 0);

    private static MeterCarry ReadCarry(JsonElement item)
    {
        ImmutableArray<SpanPart>.Builder span = ImmutableArray.CreateBuilder<SpanPart>();
        foreach (JsonElement part in TraceFields.Array(item, "span"u8, HighestRow))
        {
            TraceFields.RequireObject(part, "a span's part");
            span.Add(new SpanPart(
                TraceFields.Int(part, "row"u8, Leaf.UnattributedOwner, HighestRow),
                TraceFields.LongOrNull(part, "startNanoseconds"u8, 0, LongestTime) ?? 0,
                TraceFields.Int(part, "zone"u8, -1, HighestCpu),
                TraceFields.DoubleOrNull(part, "weight"u8, 0, Huge) ?? 0,
                TraceFields.DoubleOrNull(part, "time"u8, 0, Huge) ?? 0));
        }

        return new MeterCarry
        {
            EverRead = TraceFields.BoolOrNull(item, "everRead"u8) ?? false,
            ReadNanoseconds = TraceFields.LongOrNull(item, "readNanoseconds"u8, 0, LongestTime) ?? 0,
            Unattributable = TraceFields.BoolOrNull(item, "unattributable"u8) ?? false,
            Milliwatts = TraceFields.LongOrNull(item, "milliwatts"u8, 0, TraceReader.MostMilliwatts) ?? Unobserved.Value,
            GaugeReadNanoseconds = TraceFields.LongOrNull(item, "gaugeReadNanoseconds"u8, 0, LongestTime) ?? 0,
            GaugeRemainderPicojoules = TraceFields.LongOrNull(item, "remainderPicojoules"u8, 0, 999_999) ?? 0,
            SpanNanoseconds = TraceFields.LongOrNull(item, "spanNanoseconds"u8, 0, LongestTime) ?? 0,
            SpanBusy = TraceFields.DoubleOrNull(item, "spanBusyNanoseconds"u8, 0, Huge) ?? 0,
            SpanCapacity = TraceFields.DoubleOrNull(item, "spanCapacityNanoseconds"u8, 0, Huge) ?? 0,
            Span = span.ToImmutable(),
        };
    }

    private static string Names<T>(T[] values, Func<T, string> name) => string.Join(", ", values.Select(name));
}
