using Keck.Metering;
using Keck.Virt.Interop;

namespace Keck.Virt.Tests;

/// <summary>libvirt's own test driver, <c>test:///default</c>: the library for real, no daemon.</summary>
public sealed class LibvirtTestDriverTests
{
    public LibvirtTestDriverTests() => Assert.SkipUnless(LibVirt.IsPresent, "libvirt.so.0 is not installed");

    [Fact]
    public void ListDomains_TheDefaultHost_HasOneRunningDomain()
    {
        using LibvirtConnection connection = new("test:///default", _ => { }, () => { });
        DomainFacts domain = Assert.Single(connection.ListDomains());
        Assert.Equal(("6695eb01-f6a4-8304-79aa-97f2502e193f", "test", 2, 8_388_608), (domain.Uuid, domain.Name, domain.Vcpus, domain.MemoryKibibytes));
        Assert.Equal(MachineState.Running, domain.State);
        Assert.Equal(domain.Uuid, connection.Find(domain.Uuid)!.Uuid);
        Assert.Null(connection.Find("11111111-2222-4333-8444-555555555555"));
        Assert.True(connection.IsAlive);
        Assert.Null(connection.HaltPoll(domain.Uuid));
    }

    [Fact]
    public void Open_NoSuchDaemon_SaysWhy()
    {
        LibvirtException error = Assert.Throws<LibvirtException>(() => new LibvirtConnection("qemu+unix:///system?socket=/nowhere/keck-sock", _ => { }, () => { }));
        Assert.Equal(Absence.NotPresent, error.Reason);
        Assert.Contains("/nowhere/keck-sock", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_TheTestDriver_GivesAMachineWithoutAProcess()
    {
        using ProcTree tree = new();
        await using RunningDirectory running = new(tree.Options with { LibvirtUri = "test:///default" });
        await Wait.UntilAsync(() => running.Current.Machines.Length == 1, "the test domain");
        Machine machine = running.Current.Machines[0];
        Assert.Equal(("test", MachineState.Running, MachineManager.Libvirt, null), (machine.Name, machine.State, machine.Manager, machine.Process));
        Assert.Equal((true, 1L), (running.Directory.Libvirt.Connected, running.Directory.Libvirt.Connections));
    }

    [Fact]
    public async Task RunAsync_NoDaemon_MachinesAreFoundWithoutIt()
    {
        using ProcTree tree = new();
        tree.Process(4700, "kvm", ["/usr/bin/kvm", "-name", "a"]);
        await using RunningDirectory running = new(tree.Options with { LibvirtUri = "qemu+unix:///system?socket=/nowhere/keck-sock" });
        await Wait.UntilAsync(() => running.Current.Machines.Length == 1 && running.Directory.Libvirt.Message.Contains("/nowhere", StringComparison.Ordinal), "the machine, and why there is no libvirt");
        Assert.Equal((true, false, Absence.NotPresent), (running.Directory.Libvirt.Wanted, running.Directory.Libvirt.Connected, running.Directory.Libvirt.Reason));
    }
}
