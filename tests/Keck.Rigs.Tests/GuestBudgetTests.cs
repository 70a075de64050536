using System.Text.Json;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>The two agents together: keck-host on this machine, keck-guest in a guest under software emulation (rig b).</summary>
[Trait("Speed", "slow")]
public sealed class GuestBudgetTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Smoke()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using LiveHost host = await LiveHost.StartAsync(cancel);
        Guid uuid = Guid.NewGuid();
        await using GuestRig guest = new(new GuestOptions
        {
            Vsock = true,
            Uuid = uuid,
            Content = image => image.AddProgram(Repository.PathOf("out", "bin", "keck-guest"), "/usr/bin/keck-guest").AddLibrary("libbpf.so.1"),
            Start = "mount -t tracefs tracefs /sys/kernel/tracing; keck-guest run --channel vsock:2:19269 --state /var/lib/keck/guest >/dev/console 2>&1 & sha256sum /dev/zero >/dev/null & sleep 1000 &",
        });
        await guest.StartAsync(cancel);
        JsonElement? machine = null;
        try
        {
            await Condition.HoldsAsync(
                async () => (machine = await host.TryGetAsync($"/api/v1/machines/{uuid}", cancel)) is not null, "the machine", TimeSpan.FromSeconds(30), cancel);
            await Task.Delay(20_000, cancel);
            Console.WriteLine(await host.GetAsync($"/api/v1/machines/{uuid}", cancel));
            Console.WriteLine((await guest.RunAsync("wget -qO- http://127.0.0.1:9471/api/v1/node; wget -qO- 'http://127.0.0.1:9471/api/v1/tree?depth=5'; cat /run/keck/sys/class/powercap/*/energy_uj; cat /proc/$(pidof keck-guest)/status | grep -E 'Rss|VmRSS'", cancel)).Output);
        }
        finally
        {
            Console.WriteLine(host.Log.Tail);
            Console.WriteLine(guest.Console.Tail);
        }
    }
}
