using System.Text.Json;

namespace Keck.Rigs.Tests;

/// <summary>The debs installed, started, upgraded and removed under real systemd: L1 of rig (d), which has RAPL and eBPF.</summary>
[Trait("Speed", "slow")]
public sealed class PackagedAgentTests
{
    [Fact]
    public async Task KeckHost_Installed_MetersUnderItsHardeningAndGoesOnOverRestartAndUpgrade()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string deb = BuiltPackages.Path("keck-host", "deb");
        await using NestedRig host = await NestedRig.StartAsync(cancel);
        PackagedService service = new(host, "keck-host");
        _ = (await host.RunAsync($"dpkg -i {await service.BringAsync(deb, cancel)}", cancel)).Succeeded();

        // Type=notify: active is the agent's own word.
        Assert.Equal(("active", "notify", "enabled"), (await service.ShowAsync("ActiveState", cancel), await service.ShowAsync("Type", cancel), await service.ShowAsync("UnitFileState", cancel)));
        Assert.Equal("keck", (await host.RunAsync("ps -o user= -p $(systemctl show --value -p MainPID keck-host)", cancel)).Succeeded().Trim());
        JsonElement node = await service.NodeAsync(1, cancel);
        Assert.Equal("ebpf", node.GetProperty("runSource").GetProperty("name").GetString());
        Assert.Contains(node.GetProperty("domains").EnumerateArray(), domain => Is(domain, "package-0"));
        Assert.Contains(node.GetProperty("domains").EnumerateArray(), domain => Is(domain, "dram-0"));
        string journal = await service.JournalAsync(cancel);
        Assert.Contains("frequency from Tracepoint", journal, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", journal, StringComparison.OrdinalIgnoreCase);
        double exposure = await service.ExposureAsync(cancel);
        TestContext.Current.SendDiagnosticMessage($"systemd-analyze security keck-host: {exposure}");
        Assert.InRange(exposure, 0, 2.5);

        // Whoever is not of the group learns nothing.
        Assert.NotEqual(0, (await host.RunAsync("setpriv --reuid=65534 --regid=65534 --clear-groups ls /run/keck", cancel)).ExitCode);
        Assert.NotEqual(0, (await host.RunAsync("setpriv --reuid=65534 --regid=65534 --clear-groups ls /var/lib/keck", cancel)).ExitCode);

        // A stop is clean, and the next start goes on.
        long before = PackagedService.Energy(await service.GetAsync("/api/v1/node", cancel));
        _ = (await host.RunAsync("systemctl stop keck-host", cancel)).Succeeded();
        Assert.Equal(("success", "0"), (await service.ShowAsync("Result", cancel), await service.ShowAsync("NRestarts", cancel)));
        _ = (await host.RunAsync("test ! -e /run/keck/host.sock && systemctl start keck-host", cancel)).Succeeded();
        JsonElement restarted = await service.NodeAsync(before, cancel);
        Assert.Equal(Epoch(node), Epoch(restarted));

        // An upgrade restarts it and keeps state and settings.
        DirectoryInfo folder = Directory.CreateTempSubdirectory("keck-upgrade-");
        try
        {
            await BuiltPackages.BuildAsync("keck-host", folder.FullName, "VERSION=99.1.0 FORMATS=deb", cancel);
            string newer = await service.BringAsync(Assert.Single(folder.GetFiles("*.deb")).FullName, cancel);
            string pid = await service.ShowAsync("MainPID", cancel);
            before = PackagedService.Energy(await service.GetAsync("/api/v1/node", cancel));
            _ = (await host.RunAsync($"echo '{{ \"idle\": \"proportional\" }}' >/etc/keck/host.json && dpkg -i {newer}", cancel)).Succeeded();
            Assert.NotEqual(pid, await service.ShowAsync("MainPID", cancel));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        JsonElement upgraded = await service.NodeAsync(before, cancel);
        Assert.Equal((Epoch(node), "proportional"), (Epoch(upgraded), upgraded.GetProperty("idlePolicy").GetString()));
    }

    [Theory]
    [InlineData("keck-host", "host")]
    [InlineData("keck-guest", "guest")]
    public async Task Deb_RemovedAndPurged_LeavesTheSettingsThenNothing(string name, string role)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string deb = BuiltPackages.Path(name, "deb");
        await using NestedRig host = await NestedRig.StartAsync(cancel);
        PackagedService service = new(host, name);
        await WithoutChannelAsync(host, cancel);
        string[] before = await service.FilesAsync(cancel);
        _ = (await host.RunAsync($"dpkg -i {await service.BringAsync(deb, cancel)}", cancel)).Succeeded();
        Assert.Equal("active", await service.ShowAsync("ActiveState", cancel));
        Assert.Contains(await service.FilesAsync(cancel), line => line.Contains($"/var/lib/keck/{role}/state", StringComparison.Ordinal));

        _ = (await host.RunAsync($"dpkg -r {name}", cancel)).Succeeded();
        Assert.Equal("inactive", (await host.RunAsync($"systemctl is-active {name}", cancel)).Output.Trim());
        Assert.Equal("", (await host.RunAsync($"pidof {name}", cancel)).Output);
        string[] settings = [$"/etc/keck", $"/etc/keck/{role}.json"];
        string[] removed = Added(before, await service.FilesAsync(cancel));
        Assert.Equal(settings, removed.Where(path => !path.StartsWith("/etc/systemd", StringComparison.Ordinal)));
        Assert.All(removed.Except(settings), path => Assert.Matches($"^/etc/systemd/system/.*({name}\\.service|\\.wants)$", path));

        _ = (await host.RunAsync($"dpkg -P {name}", cancel)).Succeeded();
        Assert.Empty(Added(before, await service.FilesAsync(cancel)));
        Assert.Equal("not-found", await service.ShowAsync("LoadState", cancel));
    }

    [Fact]
    public async Task KeckGuest_InstalledWithoutAChannel_MetersUnderItsHardening()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string deb = BuiltPackages.Path("keck-guest", "deb");
        await using NestedRig host = await NestedRig.StartAsync(cancel);
        PackagedService service = new(host, "keck-guest");
        await WithoutChannelAsync(host, cancel);
        _ = (await host.RunAsync($"dpkg -i {await service.BringAsync(deb, cancel)}", cancel)).Succeeded();

        Assert.Equal("active", await service.ShowAsync("ActiveState", cancel));

        // The vsock device of this machine wants it, as the udev rule and the unit say.
        Assert.Equal("dev-vsock.device", await service.ShowAsync("WantedBy", cancel));
        JsonElement node = await service.NodeAsync(1, cancel);
        Assert.Equal(("keck-guest", "ebpf"), (node.GetProperty("agent").GetString(), node.GetProperty("runSource").GetProperty("name").GetString()));
        Assert.DoesNotContain("warning", await service.JournalAsync(cancel), StringComparison.OrdinalIgnoreCase);
        double exposure = await service.ExposureAsync(cancel);
        TestContext.Current.SendDiagnosticMessage($"systemd-analyze security keck-guest: {exposure}");
        Assert.InRange(exposure, 0, 2.8);
        _ = (await host.RunAsync("systemctl restart keck-guest", cancel)).Succeeded();
        Assert.Equal(("0", Epoch(node)), (await service.ShowAsync("NRestarts", cancel), Epoch(await service.NodeAsync(PackagedService.Energy(node), cancel))));
        Assert.DoesNotContain("Failed with result", await service.JournalAsync(cancel), StringComparison.Ordinal);
    }

    private static async Task WithoutChannelAsync(NestedRig host, CancellationToken cancellationToken) =>
        _ = (await host.RunAsync(
            "mkdir -p /run/systemd/system/keck-guest.service.d && printf '[Service]\\nEnvironment=KECK_CHANNEL=none\\n' >/run/systemd/system/keck-guest.service.d/none.conf",
            cancellationToken)).Succeeded();

    private static string[] Added(string[] before, string[] after) =>
        [.. after.Select(Path).Except(before.Select(Path)).Where(static path => !Kept(path)).Order(StringComparer.Ordinal)];

    private static string Path(string line) => line.Split(' ', 3)[2];

    // The user stays, as users of the system do: a new one of the same number would own what it had made elsewhere.
    private static bool Kept(string path) => path is "/etc/passwd-" or "/etc/group-" or "/etc/shadow-" or "/etc/gshadow-" or "/etc/.pwd.lock";

    private static bool Is(JsonElement domain, string meter) => (domain.GetProperty("meter").GetString(), domain.GetProperty("origin").GetString()) == (meter, "rapl");

    private static string? Epoch(JsonElement node) => node.GetProperty("epoch").GetString();
}
