using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Keck.Metering;

namespace Keck.Host.Tests;

/// <summary>The native agent with a machine profile: this machine's, another one's, a damaged one.</summary>
[Trait("Speed", "slow")]
public sealed class CalibratedRunTests : IDisposable
{
    private const long Joule = 1_000_000;

    // The two-socket fixture, as its cpuinfo and meminfo have it.
    private static readonly MachineProfile Fitting = new()
    {
        Host = "two-sockets",
        CreatedAt = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero),
        Cpu = new TraceCpu("GenuineIntel", 6, 106, 6, "0xd0003b9", "Intel(R) Xeon(R) Gold 5318N CPU @ 2.40GHz"),
        Cpus = 16,
        Packages = 2,
        MemoryKibibytes = 131_072_000,
        Static = ImmutableSortedDictionary<string, StaticPower>.Empty.Add("package-0", new StaticPower(1, 0.1)).Add("package-1", new StaticPower(1, 0.1)),
        Models = [new PowerModel(PowerNeeds.Time, [0.01, 0, 0, 0, 0, 0, 0, 0.005], 0.08)],
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("keck-calibrated-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Run_ProfileOfThisMachine_IsUsedAndEverywhereSaid()
    {
        using MachineTree machine = new();
        string file = Write("profile.json", Fitting), hash = Hash(file);
        await using LiveAgent agent = await StartAsync(machine, file);
        machine.Work(5 * Joule);
        await agent.UntilEnergyAsync("package-0", 5 * Joule);
        await agent.UntilAsync("the calibrated model", async () =>
        {
            machine.Work(Joule);
            return (await agent.GetAsync("/api/v1/node")).GetProperty("model").GetString() == "calibrated";
        });
        JsonElement calibration = (await agent.GetAsync("/api/v1/node")).GetProperty("calibration");
        Assert.Equal(("used", file, hash), (Text(calibration, "state"), Text(calibration, "file"), Text(calibration, "hash")));
        Assert.False(calibration.TryGetProperty("notUsedBecause", out _));
        Assert.Contains($"keck_calibration_info{{state=\"used\",hash=\"{hash}\"}} 1\n", await agent.TextAsync("/metrics"), StringComparison.Ordinal);
        Assert.Single(agent.Said($"Calibrated by {file} (sha256 {hash})"));
        Assert.Contains(Doctor(machine, file), line => line.Contains("ok  used", StringComparison.Ordinal) && line.Contains(hash, StringComparison.Ordinal));

        // Its static power is where the floors start, not what a tick or two would show.
        Assert.True(await agent.EnergyAsync("package-0", "idle") > 0);
        Assert.Equal(0, await agent.StopAsync());
    }

    [Theory]
    [InlineData("microcode")]
    [InlineData("CPUs")]
    [InlineData("packages")]
    [InlineData("memory")]
    public async Task Run_MachineHasChanged_RefusesTheProfileSaysWhatAndMetersOn(string change)
    {
        using MachineTree machine = new();
        string file = Write("profile.json", change switch
        {
            "microcode" => Fitting with { Cpu = Fitting.Cpu! with { Microcode = "0xd000375" } },
            "CPUs" => Fitting with { Cpus = 32 },
            "packages" => Fitting with { Packages = 1 },
            _ => Fitting with { MemoryKibibytes = 65_536_000 },
        });
        await using LiveAgent agent = await StartAsync(machine, file);
        machine.Work(5 * Joule);
        await agent.UntilEnergyAsync("package-0", 5 * Joule);
        Assert.Contains(change, Assert.Single(agent.Said("The figures are uncalibrated")), StringComparison.Ordinal);
        JsonElement node = await agent.GetAsync("/api/v1/node"), calibration = node.GetProperty("calibration");
        Assert.Equal(("stale", Hash(file)), (Text(calibration, "state"), Text(calibration, "hash")));
        Assert.Contains(change, Text(calibration, "notUsedBecause"), StringComparison.Ordinal);
        Assert.NotEqual("calibrated", Text(node, "model"));
        Assert.Contains("keck_calibration_info{state=\"stale\",", await agent.TextAsync("/metrics"), StringComparison.Ordinal);
        Assert.Contains(Doctor(machine, file), line => line.Contains("--  stale", StringComparison.Ordinal) && line.Contains(change, StringComparison.Ordinal));
        Assert.Equal(0, await agent.StopAsync());
    }

    [Theory]
    [InlineData("digit", "sha256")]
    [InlineData("half", "no JSON")]
    [InlineData("gone", "Could not find file")]
    public async Task Run_ProfileIsSpoiled_SaysWhatAndMetersOn(string fault, string said)
    {
        using MachineTree machine = new();
        string file = Write("profile.json", Fitting), text = File.ReadAllText(file);
        File.WriteAllText(file, fault == "digit" ? text.Replace("0.01", "0.02", StringComparison.Ordinal) : text[..(text.Length / 2)]);
        if (fault == "gone")
        {
            File.Delete(file);
        }

        await using LiveAgent agent = await StartAsync(machine, file);
        machine.Work(5 * Joule);
        await agent.UntilEnergyAsync("package-0", 5 * Joule);
        Assert.Contains(said, Assert.Single(agent.Said("The figures are uncalibrated")), StringComparison.Ordinal);
        JsonElement calibration = (await agent.GetAsync("/api/v1/node")).GetProperty("calibration");
        Assert.Equal("unreadable", Text(calibration, "state"));
        Assert.False(calibration.TryGetProperty("hash", out _));
        Assert.Contains("keck_calibration_info{state=\"unreadable\"} 1\n", await agent.TextAsync("/metrics"), StringComparison.Ordinal);
        Assert.Contains(Doctor(machine, file), line => line.Contains("--  unreadable", StringComparison.Ordinal));
        Assert.Equal(0, await agent.StopAsync());
    }

    [Fact]
    public async Task Run_NoProfile_SaysNone()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        Assert.Equal("none", Text((await agent.GetAsync("/api/v1/node")).GetProperty("calibration"), "state"));
        Assert.Contains("keck_calibration_info{state=\"none\"} 1\n", await agent.TextAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AnotherProfileAfterARestart_StartsFromItsStaticPower()
    {
        string state = Path.Combine(_folder, "state"), file = Write("profile.json", Fitting);
        using MachineTree machine = new();
        await using (LiveAgent first = await LiveAgent.StartAsync(HostBinary.Path, [.. LiveAgent.Arguments(machine), "--state", state, "--calibration", file]))
        {
            Assert.Equal(1, await FloorAsync(first));
            Assert.Equal(0, await first.StopAsync());
        }

        _ = Write("profile.json", Fitting with { Static = Fitting.Static.SetItem("package-0", new StaticPower(77, 1)) });
        await using LiveAgent second = await LiveAgent.StartAsync(HostBinary.Path, [.. LiveAgent.Arguments(machine), "--state", state, "--calibration", file]);
        Assert.Equal(77, await FloorAsync(second));
    }

    [Fact]
    public void Record_CalibratedThenReplayed_TheSameProfileGivesTheSameBytesAndAnotherIsSaid()
    {
        using MachineTree machine = new();
        string file = Write("profile.json", Fitting), other = Write("other.json", Fitting with { Host = "again" });
        string trace = Path.Combine(_folder, "trace.ndjson"), live = Path.Combine(_folder, "live.ndjson"), replayed = Path.Combine(_folder, "replayed.ndjson");
        string[] trees = ["--path.procfs", machine.Proc, "--path.sysfs", machine.Sys];
        using (Timer work = new(_ => machine.Work(Joule), null, 0, 50))
        {
            (int code, _, string[] errors) = HostBinary.Run(["record", "--seconds", "4", "--runs", "schedstat", "--calibration", file, "--out", trace, "--figures", live, .. trees]);
            Assert.True(code == 0, string.Join('\n', errors));
        }

        byte[] figures = File.ReadAllBytes(live);
        Assert.Contains("\"model\":\"calibrated\"", Encoding.UTF8.GetString(figures), StringComparison.Ordinal);
        Assert.Contains(Hash(file), File.ReadLines(trace).First(), StringComparison.Ordinal);

        (_, _, string[] same) = HostBinary.Run("replay", trace, "--calibration", file, "--out", replayed);
        Assert.Equal(figures, File.ReadAllBytes(replayed));
        Assert.DoesNotContain(same, line => line.Contains("differ", StringComparison.Ordinal));

        (int withOther, _, string[] another) = HostBinary.Run("replay", trace, "--calibration", other, "--out", replayed);
        Assert.Equal(0, withOther);
        Assert.Single(another, line => line.Contains(Hash(file), StringComparison.Ordinal) && line.Contains($"with {Hash(other)}", StringComparison.Ordinal));

        (int without, _, string[] none) = HostBinary.Run("replay", trace, "--out", replayed);
        Assert.Equal(0, without);
        Assert.Single(none, line => line.Contains(Hash(file), StringComparison.Ordinal) && line.Contains("without one", StringComparison.Ordinal));
        Assert.NotEqual(figures, File.ReadAllBytes(replayed));
    }

    private static Task<LiveAgent> StartAsync(MachineTree machine, string profile) =>
        LiveAgent.StartAsync(HostBinary.Path, [.. LiveAgent.Arguments(machine), "--calibration", profile]);

    private static string[] Doctor(MachineTree machine, string profile) =>
        HostBinary.Run("doctor", "--path.procfs", machine.Proc, "--path.sysfs", machine.Sys, "--calibration", profile).Output.Split('\n');

    // A trace's header says where the static power stands.
    private static async Task<double> FloorAsync(LiveAgent agent)
    {
        using HttpClient client = LiveAgent.Client(agent.Socket);
        await using Stream trace = await client.GetStreamAsync(new Uri("/api/v1/trace?seconds=60", UriKind.Relative), TestContext.Current.CancellationToken);
        using StreamReader reader = new(trace);
        using JsonDocument header = JsonDocument.Parse((await reader.ReadLineAsync(TestContext.Current.CancellationToken))!);
        return header.RootElement.GetProperty("initialState").GetProperty("floors").EnumerateArray()
            .Single(floor => floor.GetProperty("id").GetString() == "package-0").GetProperty("watts").GetDouble();
    }

    private string Write(string name, MachineProfile profile)
    {
        string file = Path.Combine(_folder, name);
        File.WriteAllBytes(file, MachineProfileFile.Write(profile));
        return file;
    }

    private static string Hash(string file)
    {
        using JsonDocument profile = JsonDocument.Parse(File.ReadAllText(file));
        return profile.RootElement.GetProperty("sha256").GetString()!;
    }

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();
}
