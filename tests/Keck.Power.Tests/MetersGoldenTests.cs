using System.Text;
using Keck.Tests;

namespace Keck.Power.Tests;

public sealed class MetersGoldenTests
{
    [Theory]
    [InlineData("two-sockets")]
    [InlineData("dies")]
    [InlineData("amd")]
    [InlineData("psys-laptop")]
    [InlineData("wrapped")]
    [InlineData("vm-flat-zero")]
    [InlineData("garbage")]
    [InlineData("missing")]
    [InlineData("hot-unplugged")]
    [InlineData("hwmon-sentinels")]
    public void Discover_FixtureTree_FindsWhatTheGoldenSays(string host)
    {
        using Bench bench = Bench.Over(host);
        bench.Tick(busy: 0.25);
        bench.Set.Poll(bench.Source("hwmon"));
        bench.Tick(busy: 0.25);
        StringBuilder text = new();
        foreach (SourceFinding finding in PowerDoctor.Examine(bench.Set))
        {
            _ = text.Append($"{(finding.Ok ? "ok" : "--")} {finding.Name}: {finding.Found}\n");
            _ = finding.Needs is null ? text : text.Append($"   needs: {finding.Needs}\n");
            foreach (string mend in finding.Mends)
            {
                _ = text.Append($"   mend: {mend}\n");
            }
        }

        _ = text.Append('\n').Append(MetersText.Render(bench.Set.States()));
        string scrubbed = text.ToString().Replace(bench.Tree.Sys, "/sys", StringComparison.Ordinal).Replace(bench.Tree.Proc, "/proc", StringComparison.Ordinal);
        Golden.Equal(scrubbed, "tests", "fixtures", "hosts", host, "meters.golden");
    }
}
