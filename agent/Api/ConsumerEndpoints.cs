using System.Globalization;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>The endpoints that show consumers: lists, single ones, namespaces.</summary>
internal sealed class ConsumerEndpoints(AgentParts parts)
{
    private const int DefaultTop = 100;
    private const int MaxTop = 100_000;
    private const int MaxId = 512;

    // A container may be asked for by the start of its id, as runtimes print it.
    private const int MinPrefix = 12;

    internal ApiResponse List(ApiQuery query, string path, ConsumerKind kind)
    {
        bool byPower = Sort(query);
        int top = query.Whole("top", DefaultTop, 1, MaxTop);
        string? space = kind == ConsumerKind.Machine ? null : query.Text("namespace");
        ApiView view = View(query);
        if (Refused(query, path) is { } refusal)
        {
            return refusal;
        }

        ConsumerTotals[] all =
        [
            .. view.Ledger.Consumers.Where(consumer => consumer.Kind == kind && (space is null || view.NamespaceOf(consumer) == space)),
        ];
        double[] keys = Array.ConvertAll(all, consumer => -(byPower ? view.PowerRank(consumer) : view.Energy(consumer)));
        Array.Sort(keys, all);
        return ApiRouter.Json(
            new ConsumerList
            {
                Epoch = view.Ledger.Epoch,
                EpochStartedAt = view.EpochStartedAt,
                At = view.At,
                IdlePolicy = view.Policy.Name(),
                Model = view.Ledger.Model.Name(),
                Count = all.Length,
                Items = [.. all.Take(top).Select(consumer => Document(view, consumer))],
            },
            ApiJson.Default.ConsumerList);
    }

    internal ApiResponse One(ApiQuery query, string path, ConsumerKind kind, string id)
    {
        ApiView view = View(query);
        if (Refused(query, path) is { } refusal)
        {
            return refusal;
        }

        string word = SeriesKey.KindNames[(int)SeriesKind.Process + (int)kind];
        if (kind == ConsumerKind.Process && !int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return Problem.BadRequest(path, "A process is asked for by its pid, a whole number.");
        }

        ConsumerTotals[] found = id.Length > MaxId ? [] : Find(view.Ledger, kind, id);
        return found.Length switch
        {
            0 => Problem.NotFound(path, $"No {word} has this id: it never used energy, or it ended and was let go. /api/v1/{Plural(kind)} lists those known."),
            1 => ApiRouter.Json(Whole(view, found[0]), ApiJson.Default.ConsumerDocument),
            _ => Problem.BadRequest(path, $"{found.Length} {Plural(kind)} begin with this id: give more of it."),
        };
    }

    internal ApiResponse Guest(ApiQuery query, string path, string uuid, string kind)
    {
        int top = query.Whole("top", DefaultTop, 1, MaxTop);
        if (Refused(query, path) is { } refusal)
        {
            return refusal;
        }

        MachineFacts? facts = uuid.Length > MaxId ? null : parts.State.Machine(uuid);
        return facts switch
        {
            null => Problem.NotFound(path, "No machine has this UUID. /api/v1/machines lists those known."),
            { Guest: { } report } => ApiRouter.Json(MachineView.Guest(uuid, report, kind, top), ApiJson.Default.GuestList),
            { Channel.Connected: true } => Problem.NotFound(path, "The guest's agent is connected and has not reported anything yet."),
            _ => Problem.NotFound(path, "The guest's agent has never reported anything: keck-guest is to run in the machine, and its channel to be open."),
        };
    }

    internal ApiResponse Namespaces(ApiQuery query, string path)
    {
        bool byPower = Sort(query);
        int top = query.Whole("top", DefaultTop, 1, MaxTop);
        ApiView view = View(query);
        if (Refused(query, path) is { } refusal)
        {
            return refusal;
        }

        IEnumerable<NamespaceDocument> all = view.Ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Pod)
            .GroupBy(view.NamespaceOf).Select(group => view.Namespace(group.Key, [.. group]))
            .OrderByDescending(item => byPower ? item.PowerWatts ?? -1 : item.EnergyMicrojoules ?? -1).ThenBy(item => item.Name, StringComparer.Ordinal);
        return ApiRouter.Json(
            new NamespaceList
            {
                Epoch = view.Ledger.Epoch,
                EpochStartedAt = view.EpochStartedAt,
                At = view.At,
                IdlePolicy = view.Policy.Name(),
                Items = [.. all.Take(top)],
            },
            ApiJson.Default.NamespaceList);
    }

    /// <summary>Of the processes that had a pid in turn, the one alive, else the newest; null for none known.</summary>
    internal static ConsumerTotals? Process(LedgerSnapshot ledger, int pid) =>
        ledger.Consumers.Where(consumer => consumer.Kind == ConsumerKind.Process && consumer.Pid == pid)
            .OrderBy(process => process.Ended).ThenByDescending(process => process.StartNanoseconds).FirstOrDefault();

    private static bool Sort(ApiQuery query) =>
        query.Choice<bool>("sort", true, text => text switch { "power" => true, "energy" => false, _ => null }, ["power", "energy"]);

    private static ApiResponse? Refused(ApiQuery query, string path) =>
        query.Errors() is { Length: > 0 } errors ? Problem.BadRequest(path, "The query cannot be answered.", errors) : null;

    private static string Plural(ConsumerKind kind) => kind == ConsumerKind.Process ? "processes" : SeriesKey.KindNames[(int)SeriesKind.Process + (int)kind] + "s";

    private static ConsumerTotals[] Find(LedgerSnapshot ledger, ConsumerKind kind, string id)
    {
        if (kind == ConsumerKind.Process)
        {
            return int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && Process(ledger, pid) is { } process ? [process] : [];
        }

        ConsumerTotals[] all = [.. ledger.Consumers.Where(consumer => consumer.Kind == kind)];
        ConsumerTotals[] exact = [.. all.Where(consumer => consumer.Id == id)];
        return exact.Length > 0 || id.Length < MinPrefix || kind != ConsumerKind.Container
            ? exact
            : [.. all.Where(consumer => consumer.Id.StartsWith(id, StringComparison.Ordinal))];
    }

    private ApiView View(ApiQuery query) => new(parts, query.Idle(parts.State.Node().IdlePolicy), ApiRouter.Window(query));

    private ConsumerDocument Whole(ApiView view, ConsumerTotals consumer) => consumer.Kind switch
    {
        ConsumerKind.Process => Document(view, consumer) with { Cores = view.Cores(consumer) },
        ConsumerKind.Pod => Document(view, consumer) with
        {
            Containers =
            [
                .. view.Ledger.Consumers.Where(other => other.Kind == ConsumerKind.Container && other.PodUid == consumer.Id)
                    .OrderByDescending(view.Energy).Select(view.Consumer),
            ],
        },
        ConsumerKind.Machine => view.Consumer(consumer) with { Machine = MachineView.Whole(view, parts.State, consumer) },
        _ => view.Consumer(consumer),
    };

    // Starts are since boot: on this machine's ledger clock, which counts from boot too.
    private ConsumerDocument Document(ApiView view, ConsumerTotals consumer) => consumer.Kind == ConsumerKind.Machine
        ? view.Consumer(consumer) with { Machine = MachineView.Brief(view, parts.State, consumer) }
        : consumer is { Kind: ConsumerKind.Process, StartNanoseconds: > 0 }
        && parts.History.WallTime(consumer.StartNanoseconds) is { } started
            ? view.Consumer(consumer) with { StartedAt = ApiView.Whole(started.UtcDateTime) }
            : view.Consumer(consumer);
}
