using System.Text.Json;

namespace Keck.Host.Tests;

/// <summary>What the native agent learns of static power: said, kept over a restart, taken back while it does not run.</summary>
[Trait("Speed", "slow")]
public sealed class LearnedRunTests : IDisposable
{
    private const long Joule = 1_000_000;

    private readonly string _state = Path.Combine(Directory.CreateTempSubdirectory("keck-learned-").FullName, "state");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_state)!, recursive: true);

    [Fact]
    public async Task Learned_AdoptedSaidAndTakenBack_OnlyWhileNoAgentRuns()
    {
        using MachineTree machine = new();
        await using (LiveAgent agent = await LiveAgent.StartKeepingAsync(machine, _state))
        {
            JsonElement adoption = default;
            await agent.UntilAsync("a floor of package-0", async () =>
            {
                machine.Work(Joule);
                adoption = (await agent.GetAsync("/api/v1/learned")).GetProperty("adoptions").EnumerateArray().FirstOrDefault(Floor);
                return adoption.ValueKind == JsonValueKind.Object;
            });
            Assert.NotEmpty(agent.Said($"Adoption {adoption.GetProperty("id").GetInt64()}: package-0 draws"));
            JsonElement node = await agent.GetAsync("/api/v1/node");
            Assert.Equal(adoption.GetProperty("cause").GetString(), Domain(node).GetProperty("staticBasis").GetString());
            Assert.Contains("Ice Lake", node.GetProperty("idlePrior").GetProperty("source").GetString(), StringComparison.Ordinal);
            Assert.Equal("none", node.GetProperty("runSource").GetProperty("counters").GetString());
            Assert.Contains("the run source schedstat has none", node.GetProperty("modelReason").GetString(), StringComparison.Ordinal);

            (int refused, _, string[] why) = Run("--undo", "1");
            Assert.Equal(1, refused);
            Assert.Contains("stop it first", Assert.Single(why), StringComparison.Ordinal);
            Assert.Equal(0, await agent.StopAsync());
        }

        JsonElement before = Learned(), last = before.GetProperty("adoptions").EnumerateArray().Last(Floor);
        Assert.Equal(last.GetProperty("afterWatts").GetDouble(), Watts(before)!.Value, last.GetProperty("afterWatts").GetDouble() * 0.03);
        Assert.Contains(Run().Output.Split('\n'), line => line.Contains("package-0", StringComparison.Ordinal) && line.Contains(" -> ", StringComparison.Ordinal));

        // The first of all: there is nothing from before it.
        long first = before.GetProperty("adoptions").EnumerateArray().First(Floor).GetProperty("id").GetInt64();
        (int undone, _, string[] said) = Run("--undo", $"{first}");
        Assert.True(undone == 0, string.Join('\n', said));
        JsonElement after = Learned();
        Assert.Null(Watts(after));
        Assert.Equal("undone", after.GetProperty("adoptions").EnumerateArray().Last().GetProperty("cause").GetString());
        Assert.Equal(1, Run("--undo", $"{first}").Code);
        Assert.Equal(1, Run("--forget", "package-0").Code);
        Assert.Equal(2, Run("--undo", "1", "--forget", "package-0").Code);

        // The next start goes on from there, its numbers too, and counters are what they were.
        await using LiveAgent again = await LiveAgent.StartKeepingAsync(machine, _state);
        Assert.True(await again.EnergyAsync("package-0") > 0);
        JsonElement goes = await again.GetAsync("/api/v1/learned");
        Assert.True(goes.GetProperty("adoptions").EnumerateArray().First(Floor).GetProperty("undone").GetBoolean());
        Assert.Equal(0, await again.StopAsync());
    }

    [Fact]
    public void Run_ModelCalibratedWithoutAProfile_SaysWhatIsMissing()
    {
        foreach (string command in new[] { "run", "record" })
        {
            (int code, _, string[] errors) = HostBinary.Run([command, "--model", "calibrated", .. command == "record" ? ["--out", Path.Combine(_state, "none")] : Array.Empty<string>()]);
            Assert.Equal(2, code);
            Assert.Contains("keck-host calibrate", Assert.Single(errors), StringComparison.Ordinal);
        }
    }

    private static bool Floor(JsonElement adoption) => adoption.GetProperty("meter").GetString() == "package-0" && adoption.GetProperty("cause").GetString() is "idle" or "busy";

    private static JsonElement Domain(JsonElement node) => node.GetProperty("domains").EnumerateArray().Single(domain => domain.GetProperty("meter").GetString() == "package-0");

    private static double? Watts(JsonElement learned) => learned.GetProperty("floors").EnumerateArray()
        .Where(floor => floor.GetProperty("meter").GetString() == "package-0").Select(floor => (double?)floor.GetProperty("watts").GetDouble()).FirstOrDefault();

    private JsonElement Learned()
    {
        (int code, string output, string[] errors) = Run("--json");
        Assert.True(code == 0, string.Join('\n', errors));
        using JsonDocument document = JsonDocument.Parse(output);
        return document.RootElement.Clone();
    }

    private (int Code, string Output, string[] Errors) Run(params string[] arguments) => HostBinary.Run(["learned", "--state", _state, .. arguments]);
}
