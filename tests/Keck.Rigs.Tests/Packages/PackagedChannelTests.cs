using System.Text.Json;
using Keck.Tests;

namespace Keck.Rigs.Tests;

/// <summary>The hardened keck-host and guests in real KVM machines: who gets in by what.</summary>
[Trait("Speed", "slow")]
public sealed class PackagedChannelTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task KeckHost_GuestsByVsockAndSerial_VsockAsItIsSerialWithTheDropIn()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string deb = BuiltPackages.Path("keck-host", "deb");
        string guest = Repository.PathOf("out", "bin", "keck-guest");
        Assert.SkipUnless(File.Exists(guest), $"{guest} is missing: make publish");
        await using NestedRig host = await NestedRig.StartAsync(cancel);
        PackagedService service = new(host, "keck-host");
        _ = (await host.RunAsync($"dpkg -i {await service.BringAsync(deb, cancel)}", cancel)).Succeeded();

        NestedDomain vsock = await host.StartDomainAsync(Domain("vm-vsock", guest, "vsock:2:19269"), cancel);
        await ConnectedAsync(service, vsock, cancel);

        // QEMU's socket is its user's alone; without the drop-in the agent says so and lives.
        NestedDomain serial = await host.StartDomainAsync(Domain("vm-serial", guest, "virtio-serial:/dev/virtio-ports/org.keck.energy.0"), cancel);
        await Condition.HoldsAsync(
            async () => (await service.JournalAsync(cancel)).Contains("No guest can come in by /", StringComparison.Ordinal), "the refusal in the journal", Patience, cancel);
        Assert.Equal("active", await service.ShowAsync("ActiveState", cancel));
        _ = (await host.RunAsync(
            """
            mkdir -p /etc/systemd/system/keck-host.service.d && ln -s /usr/share/keck-host/machine-sockets.conf /etc/systemd/system/keck-host.service.d/
            systemctl daemon-reload && systemctl restart keck-host
            """,
            cancel)).Succeeded();
        await ConnectedAsync(service, serial, cancel);
        await ConnectedAsync(service, vsock, cancel);
    }

    private static DomainOptions Domain(string name, string guest, string channel) => new()
    {
        Name = name,
        EnergyPort = channel.StartsWith("virtio-serial", StringComparison.Ordinal),
        Content = image => image.AddProgram(guest, "/usr/bin/keck-guest").AddLibrary("libbpf.so.1"),
        Start = "mkdir -p /dev/virtio-ports; port=$(grep -l org.keck.energy.0 /sys/class/virtio-ports/*/name | cut -d/ -f5); ln -s ../$port /dev/virtio-ports/org.keck.energy.0\n"
            + $"keck-guest run --channel {channel} --state none >/dev/console 2>&1 &",
    };

    private static Task ConnectedAsync(PackagedService service, NestedDomain domain, CancellationToken cancellationToken) => Condition.HoldsAsync(
        async () =>
        {
            JsonElement machines = await service.GetAsync("/api/v1/machines", cancellationToken);
            return machines.GetProperty("items").EnumerateArray().Any(machine =>
                machine.GetProperty("name").GetString() == domain.Name
                && machine.GetProperty("machine").TryGetProperty("channel", out JsonElement channel)
                && channel.GetProperty("connected").GetBoolean()
                && channel.TryGetProperty("ackSeconds", out _));
        },
        $"{domain.Name} with an open channel that answers marks",
        Patience,
        cancellationToken);
}
