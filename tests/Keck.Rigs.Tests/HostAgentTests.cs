using System.Globalization;
using System.Text.Json;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>The published keck-host on a machine with RAPL, a power meter, cpufreq and eBPF: L1 of rig (d).</summary>
[Trait("Speed", "slow")]
public sealed class HostAgentTests
{
    private const string Package = "/sys/class/powercap/intel-rapl:0/energy_uj";
    private const string Api = "curl -sSf --unix-socket /run/keck/host.sock http://host";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Meters_RaplAndPowerMeter_AreFoundAndRaplIsSelected()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NestedRig host = await WithKeckHostAsync(cancel);

        using JsonDocument meters = JsonDocument.Parse((await host.RunAsync("keck-host meters --json", cancel)).Succeeded());
        Dictionary<string, JsonElement> found = meters.RootElement.GetProperty("items").EnumerateArray().ToDictionary(item => Text(item, "id"));
        foreach (string id in (string[])["package-0", "dram-0"])
        {
            Assert.Equal(("rapl", "measured", true), (Text(found[id], "origin"), Text(found[id], "quality"), found[id].GetProperty("selected").GetBoolean()));
        }

        Assert.Contains(found.Values, item => Text(item, "origin") == "hwmon" && Text(item, "domain") == "platform");

        string doctor = (await host.RunAsync("keck-host doctor", cancel)).Output;
        Assert.Contains("rapl", doctor, StringComparison.Ordinal);
        Assert.Contains("eBPF", doctor, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Run_UnderLoad_TreeIsRaplsEnergyToTheMicrojoule()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NestedRig host = await WithKeckHostAsync(cancel);
        long before = Number(await host.RunAsync($"cat {Package}", cancel));
        await StartAgentAsync(host, cancel);
        _ = (await host.RunAsync("sha256sum /dev/zero >/dev/null 2>&1 &", cancel)).Succeeded();

        // What lies between two readings of ours lies between two trees: the first older than the first reading, the last newer than the last.
        long first = Energy(await TreeAsync(host, cancel), "package-0");
        long from = Number(await host.RunAsync($"cat {Package}", cancel));
        long to = Number(await host.RunAsync($"sleep 3; cat {Package}", cancel));
        JsonElement tree = default;
        await Condition.HoldsAsync(
            async () => Energy(tree = await TreeAsync(host, cancel), "package-0") - first >= to - from, "the ticks up to our last reading", Patience, cancel);
        Assert.InRange(Energy(tree, "package-0"), to - from, Number(await host.RunAsync($"cat {Package}", cancel)) - before);

        AssertSums(tree.GetProperty("tree"));
        Assert.True(tree.GetProperty("sumsUp").GetBoolean());
        foreach (string id in (string[])["package-0", "dram-0"])
        {
            JsonElement meter = Node(tree.GetProperty("tree"), id)!.Value;
            Assert.Equal(("meter", "rapl", "measured"), (Text(meter, "kind"), Text(meter, "origin"), Text(meter, "quality")));
        }

        using JsonDocument node = JsonDocument.Parse((await host.RunAsync($"{Api}/api/v1/node", cancel)).Succeeded());
        Assert.Equal("ebpf", Text(node.RootElement.GetProperty("runSource"), "name"));
        using JsonDocument busy = JsonDocument.Parse((await host.RunAsync($"{Api}/api/v1/processes?sort=energy\\&top=5", cancel)).Succeeded());
        Assert.Contains(busy.RootElement.GetProperty("items").EnumerateArray(), process => Text(process, "name") == "sha256sum");
    }

    [Fact]
    public async Task Run_GovernorChanges_FrequencyComesFromTheTracepoint()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NestedRig host = await WithKeckHostAsync(cancel);
        await StartAgentAsync(host, cancel);

        // Events are what the tracepoint knows of: each CPU has one, then stays where it is.
        string set = "for governor in performance powersave; do for policy in /sys/devices/system/cpu/cpufreq/policy*; do echo $governor >$policy/scaling_governor; done; done";
        _ = (await host.RunAsync(set, cancel)).Succeeded();
        JsonElement[] cpus = [];
        await Condition.HoldsAsync(
            async () =>
            {
                string[] lines = (await host.RunAsync($"{Api}/api/v1/trace?seconds=2", cancel)).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries);
                JsonElement last = lines.Select(Parsed).Last(line => line.TryGetProperty("cpus", out JsonElement all) && all.GetArrayLength() > 0);
                cpus = [.. last.GetProperty("cpus").EnumerateArray()];
                return cpus.All(cpu => cpu.TryGetProperty("kiloHertz", out JsonElement speed) && speed.GetInt64() is > 1_490_000 and < 1_510_000);
            },
            "a tick at 1.5 GHz, as a mean over what ran",
            Patience,
            cancel);
        Assert.Equal(2, cpus.Length);
        Assert.All(cpus, cpu => Assert.Equal("tracepoint", Text(cpu, "frequencyOrigin")));
    }

    private static async Task<NestedRig> WithKeckHostAsync(CancellationToken cancellationToken)
    {
        string binary = Repository.PathOf("out", "bin", "keck-host");
        Assert.SkipUnless(File.Exists(binary), $"{binary} is missing: make publish");
        NestedRig host = await NestedRig.StartAsync(cancellationToken);
        await host.CopyInAsync(binary, "/usr/bin/keck-host", executable: true, cancellationToken);
        return host;
    }

    private static async Task StartAgentAsync(NestedRig host, CancellationToken cancellationToken)
    {
        CommandResult started = await host.RunAsync(
            $"""
            KECK_CHANNEL=none keck-host run >/run/rig/keck-host.log 2>&1 &
            until {Api}/readyz >/dev/null 2>&1; do kill -0 $! || break; sleep 0.2; done
            cat /run/rig/keck-host.log; {Api}/readyz
            """,
            cancellationToken);
        _ = started.Succeeded();
    }

    private static async Task<JsonElement> TreeAsync(NestedRig host, CancellationToken cancellationToken) =>
        Parsed((await host.RunAsync($"{Api}/api/v1/tree", cancellationToken)).Succeeded());

    private static JsonElement Parsed(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    // Not what the agent says of itself: every node's children are added up here.
    private static void AssertSums(JsonElement node)
    {
        if (!node.TryGetProperty("children", out JsonElement children))
        {
            return;
        }

        long sum = 0;
        foreach (JsonElement child in children.EnumerateArray())
        {
            AssertSums(child);
            sum += child.GetProperty("energyMicrojoules").GetInt64();
        }

        Assert.True(sum == node.GetProperty("energyMicrojoules").GetInt64(), $"{Text(node, "id")}: its children are {sum} µJ of {node.GetProperty("energyMicrojoules")}");
    }

    private static JsonElement? Node(JsonElement node, string id)
    {
        if (Text(node, "id") == id)
        {
            return node;
        }

        return node.TryGetProperty("children", out JsonElement children)
            ? children.EnumerateArray().Select(child => Node(child, id)).FirstOrDefault(found => found is not null)
            : null;
    }

    private static long Energy(JsonElement tree, string id) => Node(tree.GetProperty("tree"), id)!.Value.GetProperty("energyMicrojoules").GetInt64();

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static long Number(CommandResult result) => long.Parse(result.Succeeded().Trim(), CultureInfo.InvariantCulture);
}
