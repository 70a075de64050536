using System.Globalization;

namespace Keck.Rigs.Tests;

/// <summary>Rig (d) by itself: what the host in the machine offers.</summary>
[Trait("Speed", "slow")]
public sealed class NestedRigTests
{
    [Fact]
    public async Task Start_FromTheSnapshot_IsAKvmHostWithMeters()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NestedRig host = await NestedRig.StartAsync(cancel);

        Assert.Equal("running\n", (await host.RunAsync("systemctl is-system-running", cancel)).Output);
        _ = (await host.RunAsync("test -c /dev/kvm && test -c /dev/vhost-vsock && test -r /sys/kernel/btf/vmlinux", cancel)).Succeeded();
        Assert.Contains("QEMU", (await host.RunAsync("virsh version", cancel)).Succeeded(), StringComparison.Ordinal);
        Assert.Equal("", (await host.RunAsync("virsh -q list --all", cancel)).Succeeded().Trim());
        Assert.Equal("package-0\ncore\ndram\n", (await host.RunAsync("cd /sys/class/powercap; cat intel-rapl:0/name intel-rapl:0:0/name intel-rapl:0:1/name", cancel)).Succeeded());
        Assert.Equal("fake-cpufreq\n", (await host.RunAsync("cat /sys/devices/system/cpu/cpu1/cpufreq/scaling_driver", cancel)).Succeeded());

        long wall = Number(await host.RunAsync("cat /sys/class/hwmon/hwmon*/power1_average", cancel));
        Assert.InRange(wall, 50_000_000, 150_000_000);
        long seconds = Number(await host.RunAsync("date +%s", cancel));
        Assert.InRange(seconds, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 60, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 1);
    }

    [Fact]
    public async Task Rapl_TimePasses_CountersGiveThePowerThatWasSet()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NestedRig host = await NestedRig.StartAsync(cancel);

        // Dram's power is time alone, so its energy between two reads says exactly how far apart they were.
        string read = "cd /sys/class/powercap; echo $(cat intel-rapl:0:1/energy_uj intel-rapl:0/energy_uj intel-rapl:0:0/energy_uj)";
        _ = (await host.RunAsync("cd /sys/module/fake_rapl/parameters; echo 8000 >dram_mw; echo 40000 >idle_mw; echo 60000 >core_mw", cancel)).Succeeded();
        string[] lines = (await host.RunAsync($"{read}; sha256sum /dev/zero & sleep 3; {read}; kill $!", cancel)).Succeeded().Trim().Split('\n');
        long[] first = Numbers(lines[0]);
        long[] second = Numbers(lines[1]);
        double seconds = (second[0] - first[0]) / 8e6;
        double package = (second[1] - first[1]) / 1e6 / seconds;
        double core = (second[2] - first[2]) / 1e6 / seconds;
        Assert.InRange(seconds, 2.5, 60);
        // One of two CPUs at least was busy: 30 W; both are 60 W.
        Assert.InRange(core, 24, 60.5);
        Assert.InRange(package - core, 39, 41);
    }

    [Fact]
    public async Task Rapl_ReloadedWithASmallRange_Wraps()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NestedRig host = await NestedRig.StartAsync(cancel);

        _ = (await host.RunAsync("modprobe -r fake_rapl && modprobe fake_rapl wrap_uj=20000000 start_uj=19000000", cancel)).Succeeded();
        Assert.Equal(19_999_999, Number(await host.RunAsync("cat /sys/class/powercap/intel-rapl:0/max_energy_range_uj", cancel)));
        string wrapped = "cd /sys/class/powercap/intel-rapl:0; before=$(cat energy_uj); "
            + "until now=$(cat energy_uj); [ $now -lt $before ]; do before=$now; sleep 0.05; done; echo $before $now";
        long[] around = Numbers((await host.RunAsync(wrapped, cancel)).Succeeded());
        Assert.InRange(around[0], 10_000_000, 19_999_999);
        Assert.InRange(around[1], 0, 19_999_999);
    }

    [Fact]
    public async Task Cpufreq_LoadComesAndGoes_TracepointTellsThreeFrequencies()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NestedRig host = await NestedRig.StartAsync(cancel);

        string events = (await host.RunAsync(
            """
            cd /sys/kernel/tracing && echo 1 >events/power/cpu_frequency/enable
            policy=/sys/devices/system/cpu/cpufreq/policy0
            for governor in powersave performance powersave; do echo $governor >$policy/scaling_governor; done
            echo 0 >events/power/cpu_frequency/enable; grep -v '^#' trace
            """,
            cancel)).Succeeded();
        Assert.Contains("cpu_frequency: state=3400000 cpu_id=0", events, StringComparison.Ordinal);
        Assert.Contains("cpu_frequency: state=1500000 cpu_id=0", events, StringComparison.Ordinal);
    }

    private static long Number(CommandResult result) => long.Parse(result.Succeeded().Trim(), CultureInfo.InvariantCulture);

    private static long[] Numbers(string line) => [.. line.Trim().Split(' ').Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
}
