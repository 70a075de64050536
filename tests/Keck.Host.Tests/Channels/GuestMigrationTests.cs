using System.Text.Json;
using Keck.Metering;
using Keck.Tests;
using Keck.VsockProtocol;

namespace Keck.Host.Tests;

/// <summary>
/// A machine moves from one host to another and back, with the real guest agent in it, who alone sees both accounts. The channel's path is
/// a link, to the first host's socket and then to the second's.
/// </summary>
public sealed class GuestMigrationTests : IDisposable
{
    /// <summary>So many looks alike, one after the other, are a state that stands still.</summary>
    internal const int Alike = 5;

    private readonly string _folder = Directory.CreateTempSubdirectory("keck-move-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Guest_MovesToAnotherHostAndBack_ItsTotalIsBothAccountsOnceEach()
    {
        string binary = Repository.PathOf("out", "bin", "keck-guest");
        Assert.SkipUnless(File.Exists(binary), "make publish has not been run");
        await using HubHost first = Host("a"), second = Host("b");
        MoveTo(first);
        await using LiveAgent guest = await LiveAgent.StartAsync(
            binary, ["run", "--profile", "minimal", "--channel", $"unix:{Channel}", "--powercap", "none", "--runs", "schedstat", "--state", Path.Combine(_folder, "state")]);

        // At the first host: its counters less our ledger are one constant, the baseline.
        Look look = await StayAsync(guest, first, 3);
        long firstBase = look.Host - look.Ledger;
        Assert.InRange(firstBase, 1, look.Host - 1);

        // At the second: its counters from its first word on. It has counted before, and the first counts a moment of the move.
        long before = look.Ledger, heard = look.Host;
        first.Know();
        MoveTo(second);
        first.Hub.Sweep();
        first.Tick();
        long alone = Told(first) - heard;
        Assert.True(alone > 0);
        look = await StayAsync(guest, second, 3);
        long secondBase = look.Host - (look.Ledger - before), there = look.Ledger - before, left = look.Host;
        Assert.InRange(secondBase, 1, look.Host - 1);
        long unattributed = look.Unattributed;
        _ = Assert.Single(guest.Said("The host has counted anew"));

        // Back at the first: its counters go on from its last word.
        second.Know();
        MoveTo(first);
        second.Hub.Sweep();
        first.Know(HubHost.Machine(0, first.Socket(0)));
        look = await StayAsync(guest, first, 3);
        Assert.Equal(look.Host - firstBase + there, look.Ledger);
        _ = Assert.Single(guest.Said("Back at a host that this machine has left"));

        // What it counted while the machine was elsewhere has an owner, and it is no process.
        Assert.InRange(look.Unattributed - unattributed, alone, look.Host - heard);

        // And at the second once more.
        long home = look.Ledger;
        first.Know();
        MoveTo(second);
        first.Hub.Sweep();
        second.Know(HubHost.Machine(0, second.Socket(0)));
        look = await StayAsync(guest, second, 2);
        Assert.Equal(home + look.Host - left, look.Ledger);
    }

    private string Channel => Path.Combine(_folder, "channel");

    private HubHost Host(string name)
    {
        HubHost host = new(Directory.CreateDirectory(Path.Combine(_folder, name)).FullName, 1);
        host.Tick();
        host.Tick();
        return host;
    }

    private void MoveTo(HubHost host)
    {
        string next = Channel + ".next";
        _ = File.CreateSymbolicLink(next, host.Door(0));
        File.Move(next, Channel, overwrite: true);
    }

    // Lets the host tell so many budgets; returns what the guest says once it has taken the last.
    private static async Task<Look> StayAsync(LiveAgent guest, HubHost host, int budgets)
    {
        Look? look = null;
        for (int i = 0; i <= budgets; i++)
        {
            await guest.UntilAsync("the guest at its host", () => Task.FromResult(host.Hub.Find(MadeUpMachines.Uuid(0))?.Connected == true));
            host.Tick();
            long told = Told(host);
            int same = 0;
            await guest.UntilAsync("the host's last word in the guest's ledger", async () =>
            {
                // The counters are ahead of the ledger for a moment: several looks have to be alike.
                Look now = await LookAsync(guest);
                same = now.Host == told && now == look ? same + 1 : 0;
                look = now;
                return same >= Alike;
            });
        }

        return look!;
    }

    /// <summary>What a host tells its only machine, all counters together, µJ.</summary>
    internal static long Told(HubHost host)
    {
        MachineFigures figures = new();
        Assert.True(host.Engine.ReadMachine(MadeUpMachines.Uuid(0), IdlePolicy.Separate, figures));
        Budget budget = new();
        MachineBudget.Fill(budget, figures, IdlePolicy.Separate, 1, 1);
        return budget.VcpuActive.Append(budget.OverheadActive).Append(budget.DramActive).Sum(figure => (long)figure.EnergyMicrojoules);
    }

    private static async Task<Look> LookAsync(LiveAgent guest)
    {
        JsonElement meters = await guest.GetAsync("/api/v1/meters"), node = await guest.GetAsync("/api/v1/node");
        JsonElement[] domains = [.. node.GetProperty("domains").EnumerateArray().Where(IsBudget)];
        return new Look(
            meters.GetProperty("items").EnumerateArray().Where(IsBudget).Sum(meter => Number(meter, "energyMicrojoules")),
            domains.Sum(domain => Number(domain, "energyMicrojoules")),
            domains.Sum(domain => Number(domain, "unattributedMicrojoules")));
    }

    private static bool IsBudget(JsonElement item) => item.GetProperty("origin").GetString() == "budget";

    private static long Number(JsonElement item, string name) => item.TryGetProperty(name, out JsonElement number) ? number.GetInt64() : 0;

    private sealed record Look(long Host, long Ledger, long Unattributed);
}
