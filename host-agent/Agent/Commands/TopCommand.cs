using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Keck.Host;

/// <summary><c>keck-host top</c>: a live table of consumers by power.</summary>
internal static class TopCommand
{
    private static readonly string[] Kinds = ["processes", "containers", "pods"];

    internal static Command Create()
    {
        Option<string> kind = new("--kind") { Description = "processes, containers or pods (default processes)", HelpName = "KIND", DefaultValueFactory = _ => "processes" };
        Option<string> sort = new("--sort") { Description = "power or energy (default power)", HelpName = "KEY", DefaultValueFactory = _ => "power" };
        Option<int> count = new("--top") { Description = "how many rows (default: as many as fit; 20 with --once)", HelpName = "N" };
        Option<double> delay = new("--delay") { Description = "seconds between updates (default 2)", HelpName = "S", DefaultValueFactory = _ => 2 };
        Option<bool> once = new("--once", "-b") { Description = "print one table and end (so does output that is no terminal)" };
        Command command = new("top", "live table of who uses the energy; keys: p power, e energy, 1 processes, 2 containers, 3 pods, q quit") { kind, sort, count, delay, once };
        ApiAccess access = new(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            Selection selection = new(parsed.GetValue(kind)!, parsed.GetValue(sort)!, parsed.GetValue(count), parsed.GetValue(delay));
            if (selection.Problem is { } problem)
            {
                await Console.Error.WriteLineAsync($"keck-host: {problem}").ConfigureAwait(false);
                return ExitCodes.Usage;
            }

            IApi? api = await access.OpenAsync(parsed, cancellation).ConfigureAwait(false);
            if (api is null)
            {
                return ExitCodes.Usage;
            }

            await using (api.ConfigureAwait(false))
            {
                try
                {
                    return parsed.GetValue(once) || Console.IsOutputRedirected
                        ? await OnceAsync(api, selection, parsed.InvocationConfiguration.Output, cancellation).ConfigureAwait(false)
                        : await LiveAsync(api, selection, cancellation).ConfigureAwait(false);
                }
                catch (ApiException e)
                {
                    await Console.Error.WriteLineAsync($"keck-host: {e.Message}").ConfigureAwait(false);
                    return ExitCodes.Failed;
                }
                catch (OperationCanceledException)
                {
                    return ExitCodes.Ok;
                }
            }
        });
        return command;
    }

    private static async Task<int> OnceAsync(IApi api, Selection selection, TextWriter output, CancellationToken cancellation)
    {
        if (api is LocalApi)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(3, selection.Delay)), TimeProvider.System, cancellation).ConfigureAwait(false);
        }

        await output.WriteAsync(await FrameAsync(api, selection, selection.Count > 0 ? selection.Count : 20, 200, cancellation).ConfigureAwait(false)).ConfigureAwait(false);
        return ExitCodes.Ok;
    }

    private static async Task<int> LiveAsync(IApi api, Selection selection, CancellationToken cancellation)
    {
        Console.Write("\u001b[?1049h\u001b[?25l");
        try
        {
            using PeriodicTimer timer = new(TimeSpan.FromSeconds(selection.Delay), TimeProvider.System);
            do
            {
                while (!Console.IsInputRedirected && Console.KeyAvailable)
                {
                    char key = Console.ReadKey(intercept: true).KeyChar;
                    if (key is 'q' or 'Q')
                    {
                        return ExitCodes.Ok;
                    }

                    selection = selection.With(key);
                }

                int rows = selection.Count > 0 ? selection.Count : Math.Max(5, Console.WindowHeight - 5);
                string frame = await FrameAsync(api, selection, rows, Math.Max(60, Console.WindowWidth), cancellation).ConfigureAwait(false);
                Console.Write("\u001b[H" + frame.Replace("\n", "\u001b[K\n", StringComparison.Ordinal) + "\u001b[J");
            }
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false));
        }
        finally
        {
            Console.Write("\u001b[?25h\u001b[?1049l");
        }

        return ExitCodes.Ok;
    }

    private static async Task<string> FrameAsync(IApi api, Selection selection, int rows, int width, CancellationToken cancellation)
    {
        using JsonDocument node = await api.GetAsync("/api/v1/node?window=10s", cancellation).ConfigureAwait(false);
        string target = string.Create(CultureInfo.InvariantCulture, $"/api/v1/{selection.Kind}?sort={selection.Sort}&top={rows}&window=10s");
        using JsonDocument list = await api.GetAsync(target, cancellation).ConfigureAwait(false);
        return Render(node.RootElement, list.RootElement, width);
    }

    /// <summary>The table as text, no line wider than <paramref name="width"/>.</summary>
    internal static string Render(JsonElement node, JsonElement list, int width)
    {
        StringBuilder text = new();
        void Line(string line) => text.Append(line.Length > width ? line[..width] : line).Append('\n');
        string domains = string.Join("  ", node.Items("domains").Select(domain =>
            $"{domain.Text("meter")} {Figures.Watts(domain.Number("powerWatts"))} ({domain.Text("quality")}, {domain.Text("origin")})"));
        Line($"keck-host {node.Text("version")} on {node.Text("host")}: {domains}");
        Line($"model {list.Text("model")}, idle {list.Text("idlePolicy")}, {list.Whole("count")} in all; power is the mean of 10 s, bounds are 95 %");
        if (node.TryGetProperty("self", out JsonElement self))
        {
            Line(string.Create(
                CultureInfo.InvariantCulture,
                $"the agent itself: {Percent(self.Number("cpuRatio"))} of one CPU, {Mebibytes(self.Whole("residentBytes"))} resident ({Mebibytes(self.Whole("anonymousBytes"))} anonymous), eBPF maps {Mebibytes(self.Whole("mapBytes"))}, {Figures.Joules(self.TryGetProperty("energy", out JsonElement own) ? own.Whole("energyMicrojoules") : null)} since its start"));
        }

        Line(string.Create(CultureInfo.InvariantCulture, $"{"PID",8} {"POWER",10} {"BOUNDS W",17} {"ENERGY",18} {"CPU TIME",10} {"ORIGIN",-9} NAME"));
        foreach (JsonElement item in list.Items("items"))
        {
            string name = item.Text("containerName") ?? item.Text("pod") ?? item.Text("name") ?? item.Text("id") ?? "";
            Line(string.Create(
                CultureInfo.InvariantCulture,
                $"{item.Whole("pid")?.ToString(CultureInfo.InvariantCulture) ?? "-",8} {Figures.Watts(item.Number("powerWatts")),10} {Figures.PowerBounds(item),17} {Figures.Joules(item.Whole("energyMicrojoules")),18} {Figures.CpuTime(item.Number("cpuSeconds")),10} {item.Text("origin") ?? "-",-9} {name}{(item.True("ended") ? " (ended)" : "")}"));
        }

        return text.ToString();
    }

    private static string Percent(double? ratio) => ratio is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known * 100:0.00} %") : "-";

    private static string Mebibytes(long? bytes) => bytes is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known / 1048576.0:0.0} MiB") : "-";

    private sealed record Selection(string Kind, string Sort, int Count, double Delay)
    {
        internal string? Problem =>
            !Kinds.Contains(Kind) ? $"--kind: '{Kind}' is none of {string.Join(", ", Kinds)}"
            : Sort is not ("power" or "energy") ? $"--sort: '{Sort}' is none of power, energy"
            : Count is < 0 or > 10_000 ? "--top must be from 1 to 10000"
            : Delay is not (>= 0.5 and <= 3_600) ? "--delay must be from 0.5 to 3600"
            : null;

        internal Selection With(char key) => key switch
        {
            'p' => this with { Sort = "power" },
            'e' => this with { Sort = "energy" },
            >= '1' and <= '3' => this with { Kind = Kinds[key - '1'] },
            _ => this,
        };
    }
}
