using System.Globalization;
using System.Text.Json;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>Rig (d): what a real kernel does to a running keck-host that no tree of files can, with eBPF and RAPL there.</summary>
[Trait("Speed", "slow")]
public sealed class NestedFaultTests
{
    private const string Counter = "/sys/class/powercap/intel-rapl:0/energy_uj";
    private const string Cpu1 = "/sys/devices/system/cpu/cpu1/online";
    private const string Log = "/run/keck.log";
    private const string Api = "curl -sSf --unix-socket /run/keck/host.sock http://host/api/v1";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly NestedMeterCheck _package = new("package-0");

    [Fact]
    public async Task CpuGoesAndComes_ClockSteps_EveryMicrojouleKeepsItsOwner()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string binary = Repository.PathOf("out", "bin", "keck-host");
        Assert.SkipUnless(File.Exists(binary), "out/bin/keck-host is missing: make publish");
        await using NestedRig host = await NestedRig.StartAsync(cancel);
        await host.CopyInAsync(binary, "/usr/bin/keck-host", executable: true, cancel);
        _ = (await host.RunAsync(
            $"keck-host run --listen none --state none --libvirt none --channel none --runs ebpf >{Log} 2>&1 & sha256sum /dev/zero & taskset 2 sha256sum /dev/zero &", cancel)).Succeeded();
        await Condition.HoldsAsync(async () => (await host.RunAsync($"{Api}/node", cancel)).ExitCode == 0, "an agent that answers", Patience, cancel);
        await UntilMoreAsync(host, cancel);

        // A CPU goes, from under a thread that was pinned there, and comes back.
        _ = (await host.RunAsync($"echo 0 >{Cpu1}", cancel)).Succeeded();
        await UntilSaidAsync(host, "CPUs online changed from 2 to 1", cancel);
        await UntilMoreAsync(host, cancel);
        _ = (await host.RunAsync($"echo 1 >{Cpu1}", cancel)).Succeeded();
        await UntilSaidAsync(host, "CPUs online changed from 1 to 2", cancel);
        await UntilMoreAsync(host, cancel);

        // The wall clock: a day ahead, a year back. Energy is by the counters, a tick's length by a clock that nobody sets.
        foreach (string step in (string[])["+1 day", "-1 year"])
        {
            _ = (await host.RunAsync($"date -s '{step}'", cancel)).Succeeded();
            await UntilMoreAsync(host, cancel);
        }

        string said = (await host.RunAsync($"pkill -TERM -x keck-host; while pgrep -x keck-host >/dev/null; do sleep 0.2; done; cat {Log}", cancel)).Succeeded();
        Assert.DoesNotContain("failed", said, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("nhandled", said, StringComparison.Ordinal);
    }

    // More has been counted since the last look, in two looks one after the other; all that RAPL counted is in the tree, and the tree adds up.
    private async Task UntilMoreAsync(NestedRig host, CancellationToken cancel)
    {
        for (int more = 0; more < 2; more++)
        {
            long before = _package.Counted;
            await Condition.HoldsAsync(
                async () =>
                {
                    string[] lines = (await host.RunAsync($"set -e; cat {Counter}; {Api}/tree; echo; cat {Counter}", cancel)).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries);
                    JsonElement document = JsonSerializer.Deserialize<JsonElement>(lines[1]);
                    _ = NestedTree.AssertAddsUp(document);
                    _package.Look(Number(lines[0]), NestedTree.Energy(document.GetProperty("tree"), "package-0"), Number(lines[2]));
                    return _package.Counted > before;
                },
                "more energy in the tree",
                Patience,
                cancel);
        }
    }

    private static Task UntilSaidAsync(NestedRig host, string text, CancellationToken cancel) =>
        Condition.HoldsAsync(async () => (await host.RunAsync($"cat {Log}", cancel)).Output.Contains(text, StringComparison.Ordinal), $"'{text}'", Patience, cancel);

    private static long Number(string line) => long.Parse(line, CultureInfo.InvariantCulture);
}
