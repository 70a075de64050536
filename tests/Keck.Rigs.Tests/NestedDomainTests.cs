namespace Keck.Rigs.Tests;

/// <summary>Rig (d) with machines in it: two KVM guests in L1, and what passes between them and L1.</summary>
[Trait("Speed", "slow")]
public sealed class NestedDomainTests
{
    private const int Port = 19269;

    [Fact]
    public async Task Vsock_TwoKvmGuests_BothReachTheHostUnderTheirOwnCid()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using NestedRig host = await NestedRig.StartAsync(cancel);
        _ = (await host.RunAsync($"vsock-probe listen {Port} 2 >/run/rig/heard 2>&1 &", cancel)).Succeeded();
        NestedDomain first = await host.StartDomainAsync(new DomainOptions { Name = "vm-a" }, cancel);
        NestedDomain second = await host.StartDomainAsync(new DomainOptions { Name = "vm-b", EnergyPort = true, Start = "echo b >/run/note" }, cancel);
        await first.ReadyAsync(cancel);
        await second.ReadyAsync(cancel);

        Assert.Equal("ack from a\n", (await first.RunAsync($"vsock-probe connect 2 {Port} 'from a'", cancel)).Succeeded());
        Assert.Equal("ack from b\n", (await second.RunAsync($"vsock-probe connect 2 {Port} \"from $(cat /run/note)\"", cancel)).Succeeded());

        string cids = (await host.RunAsync("for vm in vm-a vm-b; do virsh dumpxml $vm | sed -n \"s/.*<cid.*address='\\([0-9]*\\)'.*/\\1/p\"; done", cancel)).Succeeded();
        string[] cid = cids.Trim().Split('\n');
        Assert.Equal(2, cid.Distinct().Count());
        Assert.Equal($"from {cid[0]}: from a\nfrom {cid[1]}: from b\n", (await host.RunAsync("cat /run/rig/heard", cancel)).Succeeded());

        // Real KVM: its threads, its counters.
        Assert.Contains("CPU 0/KVM", (await host.RunAsync("cat /proc/[0-9]*/task/*/comm | sort -u", cancel)).Succeeded(), StringComparison.Ordinal);
        Assert.Equal("", (await first.RunAsync("ls /sys/class/virtio-ports/*/name | xargs grep -l org.keck.energy.0", cancel)).Output.Trim());
        _ = (await second.RunAsync("grep -l org.keck.energy.0 /sys/class/virtio-ports/*/name", cancel)).Succeeded();
        await first.DestroyAsync(cancel);
        Assert.Equal("vm-b\n", (await host.RunAsync("virsh -q list --all --name | grep .", cancel)).Succeeded());
    }
}
