using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Keck.Agent;

/// <summary>The text of <c>top</c>: what the agent answered, sorted, filtered and cut to the window.</summary>
internal static class TopTable
{
    private const int Everybody = 100_000;

    /// <summary>Lines above the rows.</summary>
    internal const int HeaderLines = 5;

    /// <summary>Asks the agent and renders a table of at most so many rows, no line wider than <paramref name="width"/>.</summary>
    internal static async Task<string> FrameAsync(IApi api, TopSelection selection, int rows, int width, CancellationToken cancellation)
    {
        using JsonDocument node = await api.GetAsync("/api/v1/node?window=10s", cancellation).ConfigureAwait(false);
        string sort = selection.IsServed ? selection.Sort : "power";
        string target = string.Create(
            CultureInfo.InvariantCulture, $"/api/v1/{selection.Kind}?sort={sort}&top={(selection.IsServed ? Math.Max(1, rows) : Everybody)}&window=10s");
        using JsonDocument list = await api.GetAsync(target, cancellation).ConfigureAwait(false);
        return Render(node.RootElement, list.RootElement, selection, rows, width);
    }

    /// <summary>The table of two documents.</summary>
    internal static string Render(JsonElement node, JsonElement list, TopSelection selection, int rows, int width)
    {
        StringBuilder text = new();
        void Line(string line) => text.Append(Printable(line.Length > width ? line[..width] : line)).Append('\n');
        string domains = string.Join("  ", node.Items("domains").Select(domain =>
            $"{domain.Text("meter")} {Figures.Watts(domain.Number("powerWatts"))} ({domain.Text("quality")}, {domain.Text("origin")})"));
        Line($"{node.Text("agent")} {node.Text("version")} on {node.Text("host")}: {(domains.Length > 0 ? domains : Figures.NoMeter(node))}");
        Line($"model {list.Text("model")}, idle {list.Text("idlePolicy")}, {list.Whole("count")} {selection.Kind} in all; power is the mean of 10 s, bounds are 95 %");
        Line(Self(node));
        Line(Status(selection));
        bool pids = selection.Kind == "processes", machines = selection.Kind == "machines";
        Line(string.Create(CultureInfo.InvariantCulture,
            $"{(pids ? Title("PID", "pid") : machines ? "VCPUS" : ""),8} {Title("POWER", "power"),10} {"BOUNDS W",17} {Title("ENERGY", "energy"),18} {Title("CPU TIME", "time"),11} {Title("MEMORY", "memory"),10} {"ORIGIN",-9} {Title("NAME", "name")}"));
        int shown = 0;
        foreach (JsonElement item in Chosen(list, selection).Take(rows))
        {
            shown++;
            string pid = machines ? Vcpus(item) : item.Whole("pid")?.ToString(CultureInfo.InvariantCulture) ?? (pids ? "-" : "");
            Line(string.Create(CultureInfo.InvariantCulture,
                $"{pid,8} {Figures.Watts(item.Number("powerWatts")),10} {Figures.PowerBounds(item),17} {Figures.Joules(item.Whole("energyMicrojoules")),18} {Figures.CpuTime(item.Number("cpuSeconds")),11} {Figures.Mebibytes(item.Whole("pssKibibytes") * 1024),10} {item.Text("origin") ?? "-",-9} {Name(item)}{(item.True("ended") ? " (ended)" : "")}"));
        }

        if (shown == 0)
        {
            Line(selection.Filter.Length > 0 ? $"no {selection.Kind} with '{selection.Filter}' in the name" : $"no {selection.Kind} are known here");
        }

        return text.ToString();

        string Title(string title, string sort) => selection.Sort == sort ? title + (selection.Reverse ? "▴" : "▾") : title;
    }

    // A star: its guest's agent is connected.
    private static string Vcpus(JsonElement item) => !item.TryGetProperty("machine", out JsonElement machine) ? "-"
        : (machine.Whole("vcpuCount")?.ToString(CultureInfo.InvariantCulture) ?? "-")
            + (machine.TryGetProperty("channel", out JsonElement channel) && channel.True("connected") ? "*" : "");

    private static string Self(JsonElement node)
    {
        if (!node.TryGetProperty("self", out JsonElement self))
        {
            return "";
        }

        string cost = $"the agent itself: {Figures.Percent(self.Number("cpuRatio"))} of one CPU, {Figures.Mebibytes(self.Whole("residentBytes"))} resident ({Figures.Mebibytes(self.Whole("anonymousBytes"))} anonymous), eBPF maps {Figures.Mebibytes(self.Whole("mapBytes"))}, {Figures.Joules(self.TryGetProperty("energy", out JsonElement own) ? own.Whole("energyMicrojoules") : null)} since its start";
        return node.TryGetProperty("profile", out JsonElement profile) && profile.Text("name") != profile.Text("configured")
            ? $"{cost}; profile {profile.Text("name")} instead of {profile.Text("configured")}: {profile.Text("why")}"
            : cost;
    }

    private static string Status(TopSelection selection) =>
        selection.Typing ? $"filter: {selection.Filter}_   (Enter: keep, Esc: all)"
        : selection.Help ? "sort: p power  e energy  t CPU time  m memory  i pid  n name  r reverse | show: 1 processes  2 containers  3 pods  4 machines | / filter  + - delay  q quit"
        : selection.Filter.Length > 0 ? $"only names with '{selection.Filter}'"
        : "";

    private static IEnumerable<JsonElement> Chosen(JsonElement list, TopSelection selection)
    {
        IEnumerable<JsonElement> items = list.Items("items");
        if (selection.IsServed)
        {
            return items;
        }

        if (selection.Filter.Length > 0)
        {
            items = items.Where(item => Name(item).Contains(selection.Filter, StringComparison.OrdinalIgnoreCase));
        }

        if (selection.Sort == "name")
        {
            return selection.Reverse ? items.OrderByDescending(Name, StringComparer.OrdinalIgnoreCase) : items.OrderBy(Name, StringComparer.OrdinalIgnoreCase);
        }

        // Unknown goes last either way. Power stays the order among equals: so the agent sent them.
        bool up = selection.Reverse != (selection.Sort == "pid");
        return items.OrderBy(item => Key(item, selection.Sort) is null).ThenBy(item => Key(item, selection.Sort) * (up ? 1 : -1));
    }

    private static double? Key(JsonElement item, string sort) => sort switch
    {
        "power" => item.Number("powerWatts"),
        "energy" => item.Number("energyMicrojoules"),
        "time" => item.Number("cpuSeconds"),
        "memory" => item.Number("pssKibibytes"),
        _ => item.Number("pid"),
    };

    private static string Name(JsonElement item) => item.Text("containerName") ?? item.Text("pod") ?? item.Text("name") ?? item.Text("id") ?? "";

    // A process may call itself anything: what it says must not reach the terminal as a command.
    private static string Printable(string line) => line.Any(char.IsControl) ? string.Concat(line.Select(c => char.IsControl(c) ? '?' : c)) : line;
}
