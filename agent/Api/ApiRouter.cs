using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Keck.Metering;

namespace Keck.Agent;

/// <summary>
/// The agents' HTTP API without HTTP: a request in, an answer out; any transport may carry it. Reading changes nothing; input is
/// bounded and checked whole before anything is computed.
/// </summary>
public sealed class ApiRouter
{
    private const int MaxPath = 1_024;
    private static readonly TimeSpan DefaultWindow = HistoryStore.RecentWindow;
    private static readonly TimeSpan MaxWindow = TimeSpan.FromHours(24);

    private readonly AgentParts _parts;
    private readonly ApiOptions _options;
    private readonly ConsumerEndpoints _consumers;
    private int _traces;

    /// <summary>Routes to an agent's parts.</summary>
    public ApiRouter(AgentParts parts, ApiOptions options)
    {
        _parts = parts;
        _options = options;
        _consumers = new ConsumerEndpoints(parts);
    }

    /// <summary>The addresses there are, for people who ask for the root.</summary>
    internal static string[] Routes { get; } =
    [
        "/metrics", "/healthz", "/readyz", "/api/v1/node", "/api/v1/meters", "/api/v1/learned", "/api/v1/machines", "/api/v1/machines/{uuid}",
        "/api/v1/machines/{uuid}/pods", "/api/v1/machines/{uuid}/processes", "/api/v1/namespaces", "/api/v1/pods",
        "/api/v1/pods/{uid}", "/api/v1/containers", "/api/v1/containers/{id}", "/api/v1/processes", "/api/v1/processes/{pid}", "/api/v1/history", "/api/v1/tree", "/api/v1/trace",
    ];

    /// <summary>Answers a request.</summary>
    public ApiResponse Handle(ApiRequest request)
    {
        if (request.Path.Length > MaxPath)
        {
            return Problem.BadRequest("", $"The path is {request.Path.Length} characters long; at most {MaxPath} are allowed.");
        }

        string[] segments = request.Path.Split('/', 8, StringSplitOptions.RemoveEmptyEntries);
        for (int index = 0; index < segments.Length; index++)
        {
            if (PercentEncoding.Decode(segments[index]) is not { } decoded || decoded.Any(char.IsControl))
            {
                return Problem.BadRequest("", "A percent-escape in the path is not two hexadecimal digits of printable UTF-8 text.");
            }

            segments[index] = decoded;
        }

        string path = "/" + string.Join('/', segments);
        if (Find(segments, path) is not { } endpoint)
        {
            return Problem.NotFound(path, $"There is nothing here. There is: {string.Join(", ", Routes)}.");
        }

        return request.Method is "GET" or "HEAD"
            ? endpoint(new ApiQuery(request.Query), request)
            : Problem.MethodNotAllowed(path, request.Method.Length <= 16 && request.Method.All(char.IsAsciiLetter) ? request.Method : "This method");
    }

    internal static ApiResponse Json<T>(T document, JsonTypeInfo<T> type) => new(200, "application/json")
    {
        Body = output =>
        {
            using var writer = new Utf8JsonWriter(output, ApiJson.WriterOptions);
            JsonSerializer.Serialize(writer, document, type);
        },
    };

    internal static TimeSpan Window(ApiQuery query) => query.Span("window", DefaultWindow, TimeSpan.FromSeconds(1), MaxWindow);

    private static ApiResponse Text(int status, string text) => new(status, "text/plain; charset=utf-8")
    {
        Body = output => output.Write(System.Text.Encoding.UTF8.GetBytes(text)),
    };

    private Func<ApiQuery, ApiRequest, ApiResponse>? Find(string[] segments, string path) => segments switch
    {
        ["metrics"] => Metrics,
        ["healthz"] => (query, _) => Checked(query, path, () => Text(200, "ok\n")),
        ["readyz"] => (query, _) => Checked(query, path, Ready),
        ["api", "v1", "node"] => (query, _) => Node(query, path),
        ["api", "v1", "meters"] => (query, _) => Checked(query, path, Meters),
        ["api", "v1", "learned"] => (query, _) => Checked(query, path, Learned),
        ["api", "v1", "machines"] => (query, _) => _consumers.List(query, path, ConsumerKind.Machine),
        ["api", "v1", "machines", var uuid] => (query, _) => _consumers.One(query, path, ConsumerKind.Machine, uuid),
        ["api", "v1", "machines", var uuid, "pods"] => (query, _) => _consumers.Guest(query, path, uuid, "pod"),
        ["api", "v1", "machines", var uuid, "processes"] => (query, _) => _consumers.Guest(query, path, uuid, "process"),
        ["api", "v1", "namespaces"] => (query, _) => _consumers.Namespaces(query, path),
        ["api", "v1", "pods"] => (query, _) => _consumers.List(query, path, ConsumerKind.Pod),
        ["api", "v1", "pods", var uid] => (query, _) => _consumers.One(query, path, ConsumerKind.Pod, uid),
        ["api", "v1", "containers"] => (query, _) => _consumers.List(query, path, ConsumerKind.Container),
        ["api", "v1", "containers", var id] => (query, _) => _consumers.One(query, path, ConsumerKind.Container, id),
        ["api", "v1", "processes"] => (query, _) => _consumers.List(query, path, ConsumerKind.Process),
        ["api", "v1", "processes", var pid] => (query, _) => _consumers.One(query, path, ConsumerKind.Process, pid),
        ["api", "v1", "history"] => (query, _) => History(query, path),
        ["api", "v1", "tree"] => (query, _) => Tree(query, path),
        ["api", "v1", "trace"] => (query, _) => Trace(query, path),
        _ => null,
    };

    private static ApiResponse Checked(ApiQuery query, string path, Func<ApiResponse> answer) =>
        query.Errors() is { Length: > 0 } errors ? Problem.BadRequest(path, "The query cannot be answered.", errors) : answer();

    private ApiResponse Metrics(ApiQuery query, ApiRequest request)
    {
        MetricDialects dialects = MetricDialects.None;
        if (query.Text("expose") is { } list)
        {
            MetricDialects? parsed = list.Length > 64 ? null : MetricDialectNames.Parse(list);
            dialects = parsed ?? MetricDialects.None;
            if (parsed is null)
            {
                query.Error("'expose' must be a list of kepler, scaphandre");
            }
            else if ((dialects & ~_options.Metrics.Dialects) != 0)
            {
                query.Error($"'expose={list}' is not enabled: start the agent with --expose {list}");
            }
        }

        bool openMetrics = Exposition.PrefersOpenMetrics(request.Accept);
        return Checked(query, "/metrics", () => new ApiResponse(200, openMetrics ? ExpositionWriter.OpenMetricsType : ExpositionWriter.TextType)
        {
            Body = output => Exposition.Write(output, _parts, _options.Metrics, dialects, openMetrics),
        });
    }

    private ApiResponse Ready()
    {
        string[] reasons = [.. _parts.State.NotReady()];
        return reasons.Length == 0
            ? Text(200, "ok\n")
            : new Problem { Title = "Service Unavailable", Status = 503, Detail = "The agent is not ready.", Instance = "/readyz", Errors = reasons }.ToResponse();
    }

    private ApiResponse Node(ApiQuery query, string path)
    {
        NodeFacts facts = _parts.State.Node();
        IdlePolicy policy = query.Idle(facts.IdlePolicy);
        TimeSpan window = Window(query);
        return Checked(query, path, () => Json(NodeView.Node(new ApiView(_parts, policy, window), _parts.State), ApiJson.Default.NodeDocument));
    }

    private ApiResponse Meters() => Json(NodeView.Meters(_parts.State, ApiView.Whole(_parts.Time.GetUtcNow().UtcDateTime)), ApiJson.Default.MeterList);

    private ApiResponse Learned() => Json(
        LearnedView.Of(_parts.State.Floors(), _parts.State.Adoptions(), ApiView.Whole(_parts.Time.GetUtcNow().UtcDateTime)), ApiJson.Default.LearnedDocument);

    private ApiResponse History(ApiQuery query, string path)
    {
        const int MaxSteps = 5_000;
        DateTimeOffset now = _parts.Time.GetUtcNow();
        SeriesKind kind = query.Choice("kind", SeriesKind.Domain, text => SeriesKey.ParseKind(text), SeriesKey.KindNames);
        string? id = query.Text("id");
        DateTimeOffset to = query.Moment("to", now);
        DateTimeOffset from = query.Moment("from", to.Ticks > TimeSpan.FromMinutes(10).Ticks ? to.AddMinutes(-10) : to);
        IdlePolicy policy = query.Idle(_parts.State.Node().IdlePolicy);
        TimeSpan step = query.Span("step", from < to ? Step(to - from) : TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        if (from >= to)
        {
            query.Error("'from' must be before 'to'");
        }
        else if ((to - from) / step > MaxSteps)
        {
            query.Error($"more than {MaxSteps} steps: ask for a longer 'step' or a shorter time");
        }

        return Checked(query, path, () =>
        {
            HistoryAnswer answer = _parts.History.Query(kind, id is null ? null : SeriesId(kind, id), from, to, step, policy);
            return id is not null && answer.Series.Count == 0
                ? Problem.NotFound(path, $"No series of kind {SeriesKey.KindNames[(int)kind]} has this id: it is unknown, or not among those kept.")
                : Json(
                    new HistoryDocument(
                        [.. answer.Times.Select(time => ApiView.Whole(time.UtcDateTime))],
                        [.. answer.Series.Select(series => new SeriesDocument(series.Key.Text, series.Name, "W", series.Watts))],
                        step.TotalSeconds, policy.Name()),
                    ApiJson.Default.HistoryDocument);
        });
    }

    // As the documents have it: a key, or an id; a process's id is its pid, its series' is pid/start.
    private string SeriesId(SeriesKind kind, string id)
    {
        string key = new SeriesKey(kind, "").Text;
        id = id.StartsWith(key, StringComparison.Ordinal) ? id[key.Length..] : id;
        return kind == SeriesKind.Process && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
            ? ConsumerEndpoints.Process(_parts.State.Ledger(), pid)?.Id ?? _parts.History.LatestProcess(pid) ?? id
            : id;
    }

    // Some 300 steps, in round figures.
    private static TimeSpan Step(TimeSpan range)
    {
        int[] round = [1, 2, 5, 10, 30, 60, 120, 300, 600];
        return TimeSpan.FromSeconds(round.FirstOrDefault(step => range.TotalSeconds / step <= 600, 3_600));
    }

    private ApiResponse Tree(ApiQuery query, string path)
    {
        int depth = query.Whole("depth", EnergyTree.MaxDepth, 0, EnergyTree.MaxDepth);
        IdlePolicy policy = query.Idle(_parts.State.Node().IdlePolicy);
        bool machines = query.Choice<bool>("view", false, text => text switch { "meters" => false, "machines" => true, _ => null }, ["meters", "machines"]);
        TimeSpan window = Window(query);
        return Checked(query, path, () =>
        {
            var view = new ApiView(_parts, policy, window);
            EnergyNode tree = !view.IsMetered ? EnergyNode.Unmetered(view.Node.Host) : machines
                ? MachineTree.Build(view.Ledger, policy, depth, view.Node.Host, view.Earlier)
                : EnergyTree.Build(view.Ledger, policy, depth, view.Node.Host, view.Earlier, view.Rate);
            return Json(new TreeDocument(view.Ledger.Epoch, view.EpochStartedAt, view.At, policy.Name(), tree.SumsUp, tree), ApiJson.Default.TreeDocument);
        });
    }

    private ApiResponse Trace(ApiQuery query, string path)
    {
        int seconds = query.Whole("seconds", 60, 1, 3_600);
        return Checked(query, path, () =>
        {
            if (_parts.Trace is not { } feed)
            {
                return Problem.NotFound(path, "This agent offers no live trace.");
            }

            return Volatile.Read(ref _traces) < _options.MaxTraces
                ? new ApiResponse(200, "application/x-ndjson") { Stream = (to, cancellation) => StreamAsync(feed, to, seconds, cancellation) }
                : Problem.Unavailable(path, $"{_options.MaxTraces} live traces are being read already; try again when one is over.");
        });
    }

    private async Task StreamAsync(ITraceFeed feed, Stream to, int seconds, CancellationToken cancellation)
    {
        _ = Interlocked.Increment(ref _traces);
        try
        {
            await feed.StreamAsync(to, TimeSpan.FromSeconds(seconds), cancellation);
        }
        finally
        {
            _ = Interlocked.Decrement(ref _traces);
        }
    }
}
