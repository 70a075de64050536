using System.Globalization;
using System.Text.Json;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>The two agents together: keck-host on this machine, keck-guest in a guest under software emulation (rig b).</summary>
[Trait("Speed", "slow")]
public sealed class GuestBudgetTests
{
    private const string GuestApi = "wget -qO- http://127.0.0.1:9471";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Vsock_BusyAndIdleProcess_TheBudgetIsSplitToTheMicrojouleThroughRestarts()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        RequireBinaries();
        await using LiveHost host = await LiveHost.StartAsync(cancel);
        Guid uuid = Guid.NewGuid();
        await using GuestRig guest = new(Options(uuid) with
        {
            Vsock = true,
            Start = "keck-guest run --channel vsock:2:19269 >/dev/console 2>&1 & sha256sum /dev/zero >/dev/null & sleep 100000 &",
        });
        await guest.StartAsync(cancel);
        await BudgetAsync(guest, 1_000_000, cancel);
        long unexplained = await UnexplainedAsync(guest, cancel);

        // Whose the energy is, seen from inside and from the host.
        JsonElement tree = await GuestTreeAsync(guest, cancel);
        AssertSums(tree.GetProperty("tree"));
        JsonElement[] processes = [.. JsonSerializer.Deserialize<JsonElement>((await guest.RunAsync($"{GuestApi}'/api/v1/processes?sort=energy'", cancel)).Succeeded()).GetProperty("items").EnumerateArray()];
        JsonElement busy = processes.Single(process => process.GetProperty("name").GetString() == "sha256sum");
        Assert.Equal("budget", busy.GetProperty("origin").GetString());
        Assert.True(busy.GetProperty("activeMicrojoules").GetInt64() > 5 * processes.Where(process => process.GetProperty("name").GetString() == "sleep").Sum(process => process.GetProperty("activeMicrojoules").GetInt64()));
        await Condition.HoldsAsync(
            async () => await host.TryGetAsync($"/api/v1/machines/{uuid}/processes", cancel) is { } told
                && told.GetProperty("items").EnumerateArray().Any(item => item.GetProperty("name").GetString() == "sha256sum"),
            "the guest's word at the host",
            Patience,
            cancel);
        JsonElement hostTree = await host.GetAsync("/api/v1/tree?depth=6&view=machines", cancel);
        AssertSums(hostTree.GetProperty("tree"));

        // The host is killed and comes back: its counters go on, and the guest misses nothing and counts nothing twice.
        long before = await MachineEnergyAsync(host, uuid, cancel);
        await host.RestartAsync(cancel);
        await BudgetAsync(guest, 2_000_000 + await GuestEnergyAsync(guest, cancel), cancel);
        Assert.True(await MachineEnergyAsync(host, uuid, cancel) >= before);
        Assert.Equal(unexplained, await UnexplainedAsync(guest, cancel));

        // The guest's agent is killed and comes back: what the host counted meanwhile is owned by nobody's runs.
        _ = (await guest.RunAsync("kill -9 $(pidof keck-guest); keck-guest run --channel vsock:2:19269 >/dev/console 2>&1 &", cancel)).Succeeded();
        await BudgetAsync(guest, 1_000_000 + await GuestEnergyAsync(guest, cancel), cancel);
        Assert.Equal(unexplained, await UnexplainedAsync(guest, cancel));
        tree = await GuestTreeAsync(guest, cancel);
        AssertSums(tree.GetProperty("tree"));
        Assert.Contains(Nodes(tree.GetProperty("tree")), node => node.GetProperty("kind").GetString() == "unattributed" && node.GetProperty("energyMicrojoules").GetInt64() > 0);

        // A tool that reads RAPL finds the same.
        string zone = (await guest.RunAsync("cat /run/keck/sys/class/powercap/intel-rapl:0/name /run/keck/sys/class/powercap/intel-rapl:0/energy_uj", cancel)).Succeeded();
        Assert.StartsWith("package-0\n", zone, StringComparison.Ordinal);
        Assert.True(long.Parse(zone.Split('\n')[1], CultureInfo.InvariantCulture) > 0);
    }

    [Fact]
    public async Task VirtioSerial_OneGuest_GetsItsBudget()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        RequireBinaries();
        await using LiveHost host = await LiveHost.StartAsync(cancel);
        await using GuestRig guest = new(Options(Guid.NewGuid()) with
        {
            EnergyPort = true,
            Start = "port=/dev/$(grep -l org.keck.energy.0 /sys/class/virtio-ports/*/name | cut -d/ -f5); keck-guest run --channel virtio-serial:$port >/dev/console 2>&1 & sha256sum /dev/zero >/dev/null &",
        });
        await guest.StartAsync(cancel);
        await BudgetAsync(guest, 500_000, cancel);
        AssertSums((await GuestTreeAsync(guest, cancel)).GetProperty("tree"));
    }

    private static GuestOptions Options(Guid uuid) => new()
    {
        Uuid = uuid,
        Content = image => image.AddProgram(Repository.PathOf("out", "bin", "keck-guest"), "/usr/bin/keck-guest").AddLibrary("libbpf.so.1"),
    };

    private static void RequireBinaries()
    {
        foreach (string name in (string[])["keck-host", "keck-guest"])
        {
            string binary = Repository.PathOf("out", "bin", name);
            Assert.SkipUnless(File.Exists(binary), $"{binary} is missing: make publish");
        }
    }

    // Waits until so much of the budget is in the guest's ledger, µJ.
    private static Task BudgetAsync(GuestRig guest, long least, CancellationToken cancel) => Condition.HoldsAsync(
        async () => await GuestEnergyAsync(guest, cancel) >= least, string.Create(CultureInfo.InvariantCulture, $"{least} µJ of budget in the guest; its console:\n{guest.Console.Tail}"), Patience, cancel);

    private static async Task<long> GuestEnergyAsync(GuestRig guest, CancellationToken cancel)
    {
        CommandResult node = await guest.RunAsync($"{GuestApi}/api/v1/node", cancel);
        return node.ExitCode != 0 ? 0 : Budgeted(JsonSerializer.Deserialize<JsonElement>(node.Output));
    }

    private static long Budgeted(JsonElement node) => node.GetProperty("domains").EnumerateArray()
        .Where(domain => domain.GetProperty("origin").GetString() == "budget").Sum(domain => domain.GetProperty("energyMicrojoules").GetInt64());

    // What the host's counters say less what the guest has booked of them: the counters' value where counting began, and always the same.
    private static async Task<long> UnexplainedAsync(GuestRig guest, CancellationToken cancel)
    {
        long found = 0;
        await Condition.HoldsAsync(
            async () =>
            {
                // One tick before and after: both documents are of the same.
                string[] answers = (await guest.RunAsync($"{GuestApi}/api/v1/node; echo; {GuestApi}/api/v1/meters; echo; {GuestApi}/api/v1/node", cancel)).Succeeded().Split('\n');
                JsonElement first = JsonSerializer.Deserialize<JsonElement>(answers[0]), meters = JsonSerializer.Deserialize<JsonElement>(answers[1]);
                if (first.GetProperty("tick").GetInt64() != JsonSerializer.Deserialize<JsonElement>(answers[2]).GetProperty("tick").GetInt64())
                {
                    return false;
                }

                found = meters.GetProperty("items").EnumerateArray().Where(meter => meter.GetProperty("origin").GetString() == "budget").Sum(Total) - Budgeted(first);
                return true;
            },
            "two looks within a tick",
            Patience,
            cancel);
        return found;
    }

    private static long Total(JsonElement meter) => meter.TryGetProperty("energyMicrojoules", out JsonElement energy) ? energy.GetInt64() : 0;

    private static async Task<JsonElement> GuestTreeAsync(GuestRig guest, CancellationToken cancel) =>
        JsonSerializer.Deserialize<JsonElement>((await guest.RunAsync($"{GuestApi}'/api/v1/tree?depth=6'", cancel)).Succeeded());

    private static async Task<long> MachineEnergyAsync(LiveHost host, Guid uuid, CancellationToken cancel)
    {
        JsonElement? machine = null;
        await Condition.HoldsAsync(async () => (machine = await host.TryGetAsync($"/api/v1/machines/{uuid}", cancel)) is not null, "the machine at the host", Patience, cancel);
        return machine!.Value.GetProperty("activeMicrojoules").GetInt64();
    }

    private static IEnumerable<JsonElement> Nodes(JsonElement node) =>
        node.TryGetProperty("children", out JsonElement children) ? children.EnumerateArray().SelectMany(Nodes).Prepend(node) : [node];

    private static void AssertSums(JsonElement root)
    {
        foreach (JsonElement node in Nodes(root))
        {
            Assert.True(node.GetProperty("sumsUp").GetBoolean(), node.GetProperty("id").GetString());
            if (node.TryGetProperty("children", out JsonElement children))
            {
                Assert.Equal(node.GetProperty("energyMicrojoules").GetInt64(), children.EnumerateArray().Sum(child => child.GetProperty("energyMicrojoules").GetInt64()));
            }
        }
    }
}
