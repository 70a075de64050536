using System.Text.Json;
using Keck.Tests;

namespace Keck.Host.Tests;

/// <summary>A machine whose guest agent feeds a host agent beside it, both real: a hub tells the one, and the other's meter is what it was told.</summary>
public sealed class NestedFeedTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keck-nested-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Budget_HandedOn_IsTheHostAgentsMeterToTheMicrojouleOverItsRestart()
    {
        string binary = Repository.PathOf("out", "bin", "keck-guest");
        Assert.SkipUnless(File.Exists(binary), "make publish has not been run");
        await using HubHost above = new(Directory.CreateDirectory(Path.Combine(_folder, "above")).FullName, 1);
        above.Tick();
        above.Tick();
        string tree = Path.Combine(_folder, "sys"), state = Path.Combine(_folder, "state");
        await using LiveAgent guest = await LiveAgent.StartAsync(
            binary, ["run", "--profile", "minimal", "--channel", $"unix:{above.Door(0)}", "--powercap", tree, "--runs", "schedstat"]);
        await TellAsync(above, guest, 3);

        string[] arguments = ["run", "--profile", "full", "--runs", "schedstat", "--libvirt", "none", "--budget", Path.Combine(tree, "keck", "budget"), "--state", state];
        long constant;
        LiveAgent host = await LiveAgent.StartAsync(HostBinary.Path, arguments);
        await using (host)
        {
            // What it had counted before is the baseline, the rest is metered: by each counter, and nothing is added to it.
            // The first word is where counting begins.
            long ledger = 0;
            await host.UntilAsync("the budget in the host agent's ledger", async () =>
            {
                ledger = await TellAsync(above, guest, 1);
                return await MeteredAsync(host) > 0;
            });
            ledger = await TellAsync(above, guest, 1);
            constant = ledger - await SettledAsync(host);
            Assert.InRange(constant, 0, ledger - 1);
            for (int i = 0; i < 3; i++)
            {
                ledger = await TellAsync(above, guest, 1);
                await host.UntilAsync($"{ledger - constant} µJ metered", async () => await MeteredAsync(host) == ledger - constant);
            }

            JsonElement[] meters = [.. (await host.GetAsync("/api/v1/meters")).GetProperty("items").EnumerateArray()];
            JsonElement[] selected = [.. meters.Where(meter => meter.GetProperty("selected").GetBoolean())];
            Assert.Equal(["dram", "overhead", "vcpu-0", "vcpu-1"], selected.Select(meter => meter.GetProperty("id").GetString()).Order(StringComparer.Ordinal));
            Assert.All(selected, meter => Assert.Equal(("budget", "derived"), (meter.GetProperty("origin").GetString(), meter.GetProperty("quality").GetString())));
            _ = await host.TreeAsync();
            Assert.Equal(0, await host.StopAsync());
        }

        // Down, and up again: what it missed is there, and nobody's.
        long missed = await TellAsync(above, guest, 2) - constant;
        await using LiveAgent again = await LiveAgent.StartAsync(HostBinary.Path, arguments);
        long metered = await MeteredAsync(again);
        await again.UntilAsync("a word that it takes", async () =>
        {
            _ = await TellAsync(above, guest, 1);
            return await MeteredAsync(again) > metered;
        });
        long told = await TellAsync(above, guest, 1) - constant;
        Assert.True(told > missed);
        await again.UntilAsync($"{told} µJ metered", async () => await MeteredAsync(again) == told);
        _ = await again.TreeAsync();
        Assert.True(await MeteredAsync(again, "unattributedMicrojoules") > 0);
    }

    private static async Task<long> SettledAsync(LiveAgent host)
    {
        long metered = -1;
        int same = 0;
        await host.UntilAsync("a ledger that stands still", async () =>
        {
            long now = await MeteredAsync(host);
            same = now == metered ? same + 1 : 0;
            metered = now;
            return same >= 4 * GuestMigrationTests.Alike;
        });
        return metered;
    }

    // Tells the guest so many budgets; returns its ledger once it has taken the last.
    private static async Task<long> TellAsync(HubHost above, LiveAgent guest, int budgets)
    {
        long ledger = -1;
        for (int i = 0; i < budgets; i++)
        {
            await guest.UntilAsync("the guest at its host", () => Task.FromResult(above.Hub.Find(MadeUpMachines.Uuid(0))?.Connected == true));
            above.Tick();
            long told = GuestMigrationTests.Told(above);
            int same = 0;
            await guest.UntilAsync("the host's last word", async () =>
            {
                JsonElement meters = await guest.GetAsync("/api/v1/meters");
                long heard = meters.GetProperty("items").EnumerateArray().Where(IsBudget).Sum(meter => meter.TryGetProperty("energyMicrojoules", out JsonElement energy) ? energy.GetInt64() : 0);
                long now = await MeteredAsync(guest);
                same = heard == told && now == ledger ? same + 1 : 0;
                ledger = now;
                return same >= GuestMigrationTests.Alike;
            });
        }

        return ledger;
    }

    private static async Task<long> MeteredAsync(LiveAgent agent, string member = "energyMicrojoules") => (await agent.GetAsync("/api/v1/node")).GetProperty("domains").EnumerateArray()
        .Where(IsBudget).Sum(domain => domain.GetProperty(member).GetInt64());

    private static bool IsBudget(JsonElement item) => item.GetProperty("origin").GetString() == "budget";
}
