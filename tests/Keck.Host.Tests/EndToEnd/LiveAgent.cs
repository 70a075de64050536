using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Keck.Host.Tests;

/// <summary><c>keck-host run</c> as a process of its own, asked over its unix socket; the minimal profile has none and is asked over TCP.</summary>
internal sealed class LiveAgent : IAsyncDisposable
{
    // A bound against hanging for ever, not a measure of speed.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly HttpClient _client;
    private readonly string _folder;
    private readonly List<string> _lines = [];
    private readonly Lock _gate = new();
    private string? _refused;

    private LiveAgent(Process process, string folder, string? socket)
    {
        _process = process;
        _folder = folder;
        Socket = socket ?? Path.Combine(folder, "host.sock");
        _client = Client(Socket, () => Address.Port);
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } text)
            {
                lock (_gate)
                {
                    _lines.Add(text);
                }
            }
        };
        process.BeginErrorReadLine();
    }

    /// <summary>Its unix socket.</summary>
    internal string Socket { get; }

    internal int Pid => _process.Id;

    /// <summary>What it has said so far.</summary>
    internal string[] Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Where it listens on TCP.</summary>
    internal Uri Address => new(Lines.Single(line => line.Contains("Serving http", StringComparison.Ordinal)).Split(' ').Single(word => word.StartsWith("http://", StringComparison.Ordinal)));

    /// <summary>Starts it on a machine of files and waits for its first tick. Ticks of 100 ms; the files' own times, not the kernel's.</summary>
    internal static Task<LiveAgent> StartAsync(MachineTree machine, string profile = "full", string runs = "schedstat", string? socket = null) =>
        StartAsync(HostBinary.Path, Arguments(machine, profile, runs), socket: socket);

    /// <summary>Starts it on a machine of files with a place to keep its state in.</summary>
    internal static Task<LiveAgent> StartKeepingAsync(MachineTree machine, string state) =>
        StartAsync(HostBinary.Path, [.. Arguments(machine), "--state", state]);

    /// <summary>The arguments that run it on a machine of files.</summary>
    internal static string[] Arguments(MachineTree machine, string profile = "full", string runs = "schedstat") =>
        ["run", "--profile", profile, "--runs", runs, "--estimate", "false", "--path.procfs", machine.Proc, "--path.sysfs", machine.Sys];

    /// <summary>Starts a program that becomes the agent, and waits for the agent's first tick.</summary>
    internal static async Task<LiveAgent> StartAsync(string program, string[] arguments, Dictionary<string, string>? environment = null, bool openFolder = false, string? socket = null)
    {
        HostBinary.Require();
        string folder = Directory.CreateTempSubdirectory("keck-live-").FullName;
        if (openFolder)
        {
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        }

        string[] state = arguments.Contains("--state") ? [] : ["--state", "none"];
        ProcessStartInfo start = new(program, [.. arguments, .. state, "--listen", "127.0.0.1:0", "--socket", socket ?? Path.Combine(folder, "host.sock")])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["KECK_CHANNEL"] = "none";
        foreach ((string name, string value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        LiveAgent agent = new(Process.Start(start)!, folder, socket);
        await agent.UntilAsync("the first tick", async () => await agent.StatusAsync("/readyz") == 200);
        return agent;
    }

    /// <summary>A client of a unix socket, or where there is none of a port on loopback.</summary>
    internal static HttpClient Client(string socket, Func<int>? port = null) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            if (port is not null && !File.Exists(socket))
            {
                Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await tcp.ConnectAsync(IPAddress.Loopback, port(), cancel);
                return new NetworkStream(tcp, ownsSocket: true);
            }

            Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://localhost"), Timeout = Patience };

    internal async Task<JsonElement> GetAsync(string target)
    {
        using JsonDocument document = JsonDocument.Parse(await TextAsync(target));
        return document.RootElement.Clone();
    }

    internal async Task<string> TextAsync(string target)
    {
        try
        {
            return await _client.GetStringAsync(new Uri(target, UriKind.Relative), TestContext.Current.CancellationToken);
        }
        catch (HttpRequestException failure)
        {
            throw new InvalidOperationException($"GET {target}: {failure.Message}; the agent said:\n{string.Join('\n', Lines)}", failure);
        }
    }

    internal async Task<int?> StatusAsync(string target)
    {
        try
        {
            using HttpResponseMessage answer = await _client.GetAsync(new Uri(target, UriKind.Relative), TestContext.Current.CancellationToken);
            return (int)answer.StatusCode;
        }
        catch (HttpRequestException refused)
        {
            _refused = refused.ToString();
            return null;
        }
    }

    /// <summary>Fails with what the agent said, and why it could not be asked, unless it is there and well.</summary>
    internal Task ServesAsync() => UntilAsync("an answer to /healthz", async () => await StatusAsync("/healthz") == 200);

    /// <summary>The energy tree, after every sum in it has been done again by hand.</summary>
    internal async Task<JsonElement> TreeAsync()
    {
        JsonElement document = await GetAsync("/api/v1/tree");
        Assert.True(document.GetProperty("sumsUp").GetBoolean(), document.ToString());
        Assert.Empty(Differences(document.GetProperty("tree")));
        return document.GetProperty("tree");
    }

    /// <summary>Energy of a meter in the tree and of those that stood in for it, µJ; every sum in the tree is checked.</summary>
    internal async Task<long> EnergyAsync(string meter, string? owner = null) =>
        Children(await TreeAsync())
            .Where(node => node.GetProperty("id").GetString() is { } id && (id == meter || id == $"{meter}-meters"))
            .SelectMany(node => owner is null ? [node] : Children(node).Where(child => child.GetProperty("kind").GetString() == owner))
            .Sum(node => node.GetProperty("energyMicrojoules").GetInt64());

    /// <summary>A meter's entry in the list of meters.</summary>
    internal async Task<JsonElement> MeterAsync(string id) =>
        (await GetAsync("/api/v1/meters")).GetProperty("items").EnumerateArray().Single(meter => meter.GetProperty("id").GetString() == id);

    /// <summary>Why a meter has no value; null while it has.</summary>
    internal async Task<string?> AbsentAsync(string id) =>
        (await MeterAsync(id)).TryGetProperty("absent", out JsonElement absent) ? absent.GetString() : null;

    /// <summary>Lines that hold a text.</summary>
    internal string[] Said(string text) => [.. Lines.Where(line => line.Contains(text, StringComparison.Ordinal))];

    /// <summary>Waits until the agent says something, doing something on the way.</summary>
    internal Task UntilSaidAsync(string text, Action? meanwhile = null) => UntilAsync($"a line with '{text}'", () =>
    {
        meanwhile?.Invoke();
        return Task.FromResult(Said(text).Length > 0);
    });

    /// <summary>Waits until a meter's energy is what the machine gave it.</summary>
    internal Task UntilEnergyAsync(string meter, long microjoules) =>
        UntilAsync($"{meter} at {microjoules} µJ", async () => await EnergyAsync(meter) == microjoules);

    /// <summary>Waits for a condition; fails with what the agent said when it ends or the patience does.</summary>
    internal async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(50));
        while (!await condition())
        {
            Assert.False(_process.HasExited, $"the agent ended while waiting for {what}:\n{string.Join('\n', Lines)}\n{_refused}");
            try
            {
                await poll.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                string said = $"waited in vain for {what}; the agent said:\n{string.Join('\n', Lines)}\n{_refused}";
                Assert.Fail(await StatusAsync("/healthz") == 200 ? $"{said}\n{await TextAsync("/api/v1/tree?depth=2")}\n{await TextAsync("/api/v1/meters")}" : said);
            }
        }
    }

    /// <summary>Stops it by a signal and returns its exit code.</summary>
    internal async Task<int> StopAsync(string signal = "TERM")
    {
        HostBinary.Signal(Pid, signal);
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"the agent did not end on SIG{signal}; it said:\n{string.Join('\n', Lines)}");
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal static IEnumerable<JsonElement> Children(JsonElement node) =>
        node.TryGetProperty("children", out JsonElement children) && children.ValueKind is JsonValueKind.Array ? children.EnumerateArray() : [];

    private static IEnumerable<string> Differences(JsonElement node)
    {
        JsonElement[] children = [.. Children(node)];
        long own = node.GetProperty("energyMicrojoules").GetInt64(), sum = children.Sum(child => child.GetProperty("energyMicrojoules").GetInt64());
        if (children.Length > 0 && own != sum)
        {
            yield return $"{node.GetProperty("id")}: {own} µJ, its parts {sum} µJ";
        }

        foreach (string difference in children.SelectMany(Differences))
        {
            yield return difference;
        }
    }
}
