using System.Text.Json;

namespace Keck.Agent.Tests;

/// <summary>The table of <c>keck-host top</c> from documents as the API serves them.</summary>
public sealed class TopTableTests
{
    private const string Node = """{"version":"1.2.3","host":"h","domains":[],"profile":{"name":"minimal","configured":"standard","why":"CPU is over"},"self":{"cpuRatio":0.0066}}""";

    private const string List = """
        {"model":"time","idlePolicy":"separate","count":4,"items":[
          {"pid":30,"name":"bravo","powerWatts":3.0,"energyMicrojoules":10,"cpuSeconds":1,"pssKibibytes":2048},
          {"pid":4,"name":"Alpha","powerWatts":2.0,"energyMicrojoules":40,"cpuSeconds":9},
          {"pid":200,"name":"charlie","powerWatts":1.0,"energyMicrojoules":20,"cpuSeconds":5,"pssKibibytes":4096},
          {"pid":1000,"name":"evil\u001b[2J","energyMicrojoules":30,"cpuSeconds":7,"pssKibibytes":1024}]}
        """;

    [Theory]
    [InlineData("power", false, "30 4 200 1000")]
    [InlineData("power", true, "200 4 30 1000")]
    [InlineData("energy", false, "4 1000 200 30")]
    [InlineData("time", true, "30 200 1000 4")]
    [InlineData("memory", false, "200 30 1000 4")]
    [InlineData("pid", false, "4 30 200 1000")]
    [InlineData("pid", true, "1000 200 30 4")]
    [InlineData("name", false, "4 30 200 1000")]
    [InlineData("name", true, "1000 200 30 4")]
    public void Render_SortKey_OrdersRowsWithTheUnknownLast(string sort, bool reverse, string pids) =>
        Assert.Equal(pids, Pids(Render(new TopSelection { Sort = sort, Reverse = reverse, Filter = sort == "power" && !reverse ? "" : "l" }, List.Replace("bravo", "bravol", StringComparison.Ordinal))));

    [Fact]
    public void Render_Filter_ShowsOnlyNamesWithIt()
    {
        Assert.Equal("4 200", Pids(Render(new TopSelection { Filter = "AL", Sort = "pid" }, List.Replace("charlie", "royal", StringComparison.Ordinal))));
        Assert.Contains("no processes with 'zulu' in the name", Render(new TopSelection { Filter = "zulu" }), StringComparison.Ordinal);
    }

    [Fact]
    public void Render_NameWithEscapes_DoesNotReachTheTerminal() => Assert.DoesNotContain('\u001b', Render(new TopSelection()));

    [Fact]
    public void Render_SteppedDown_SaysWhy() =>
        Assert.Contains("profile minimal instead of standard: CPU is over", Render(new TopSelection()), StringComparison.Ordinal);

    [Fact]
    public void Render_NoMeter_SaysSoAndShowsNoEnergy()
    {
        string table = Render(new TopSelection(), """{"count":1,"items":[{"pid":30,"name":"bravo","cpuSeconds":1}]}""");
        Assert.Contains("on h: no meter found; see keck-host doctor", table, StringComparison.Ordinal);
        Assert.DoesNotContain(" W ", table[table.IndexOf("30", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.DoesNotContain("0.000000 J", table, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(79)]
    public void Render_NarrowWindow_CutsEveryLine(int width) =>
        Assert.All(Render(new TopSelection(), width: width).Split('\n'), line => Assert.True(line.Length <= width, line));

    [Fact]
    public void Render_NobodyOfTheKind_SaysSo() =>
        Assert.Contains("no machines are known here", Render(new TopSelection { Kind = "machines" }, """{"count":0,"items":[]}"""), StringComparison.Ordinal);

    [Fact]
    public void With_Keys_ChangeTheSelection()
    {
        TopSelection all = new();
        Assert.Equal("energy", Press(all, "e").Sort);
        Assert.True(Press(all, "r").Reverse);
        Assert.False(Press(all, "re").Reverse);
        Assert.Equal("machines", Press(all, "4").Kind);
        Assert.Equal(("quit", false, false), (Press(all, "/quit\r").Filter, Press(all, "/quit\r").Quit, Press(all, "/quit\r").Typing));
        Assert.Equal("qu", Press(all, "/quit\b\b").Filter);
        Assert.Equal("", Press(all, "/quit\u001b").Filter);
        Assert.Equal(0.5, Press(all, "----").Delay);
        Assert.True(Press(all, "q").Quit);
    }

    [Theory]
    [InlineData("--kind: 'x' is none of processes, containers, pods, machines", "x", "power", 0, 2)]
    [InlineData("--sort: 'x' is none of power, energy, time, memory, pid, name", "pods", "x", 0, 2)]
    [InlineData("--top must be from 1 to 10000", "pods", "power", -1, 2)]
    [InlineData("--delay must be from 0.5 to 3600", "pods", "power", 0, double.NaN)]
    public void Problem_WrongFlag_IsSaid(string problem, string kind, string sort, int count, double delay) =>
        Assert.Equal(problem, new TopSelection { Kind = kind, Sort = sort, Count = count, Delay = delay }.Problem);

    private static TopSelection Press(TopSelection selection, string keys) =>
        keys.Aggregate(selection, (now, key) => now.With(new ConsoleKeyInfo(
            key, key switch { '\r' => ConsoleKey.Enter, '\b' => ConsoleKey.Backspace, '\u001b' => ConsoleKey.Escape, _ => default }, false, false, false)));

    private static string Render(TopSelection selection, string list = List, int width = 200)
    {
        using JsonDocument node = JsonDocument.Parse(Node), items = JsonDocument.Parse(list);
        return TopTable.Render(node.RootElement, items.RootElement, selection, 10, width);
    }

    private static string Pids(string table) =>
        string.Join(' ', table.Split('\n').Skip(TopTable.HeaderLines).Where(line => line.Length > 0).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]));
}
