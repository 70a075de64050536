using Keck.Metering;

namespace Keck.Virt.Tests;

/// <summary>Discovery over made-up trees: coming, going, and who a machine is when two claim to be it.</summary>
public sealed class MachineDirectoryTests
{
    private const string Uuid = "4dea22b3-1d52-48f3-9516-782e98ab3fa0";
    private const string Own = "/machine.slice/machine-qemu\\x2d3\\x2dweb.scope";

    private static string[] Qemu(string name, string? uuid, params string[] more) =>
        ["/usr/bin/qemu-system-x86_64", "-name", $"guest={name},debug-threads=on", .. uuid is null ? Array.Empty<string>() : ["-uuid", uuid], .. more];

    [Fact]
    public async Task RunAsync_MachinesComeAndGo_TheInventoryFollows()
    {
        using ProcTree tree = new();
        tree.Process(4700, "qemu-system-x86", Qemu("web", Uuid), Own + "/libvirt/emulator").Process(50, "bash", ["bash", "-c", "qemu-system-x86_64"]);
        await using RunningDirectory running = new(tree.Options);
        await Wait.UntilAsync(() => running.Current.Machines.Length == 1, "the machine that was there");
        Machine machine = running.Current.FindByPid(4700)!;
        Assert.Equal((Uuid, "web", 1000), (machine.Uuid, machine.Name, machine.Process!.Value.StartTicks));
        Assert.Same(machine, running.Current.Find(Uuid));

        tree.Process(4800, "kvm", ["/usr/bin/kvm", "-id", "7", "-name", "b"], "/qemu.slice/7.scope");
        Assert.True(running.Directory.Ask(4800));
        await Wait.UntilAsync(() => running.Current.Machines.Length == 2, "the machine that was asked for");
        tree.End(4700);
        await Wait.UntilAsync(() => running.Current.FindByPid(4700) is null && running.Current.Machines.Length == 1, "the end of the first");
    }

    [Fact]
    public async Task RunAsync_KvmStatistics_TellVcpuThreadsAndFindWhatHasAnotherName()
    {
        using ProcTree tree = new();
        tree.KvmVcpu(4700, 0, 4711).KvmVcpu(4700, 1, 4712);
        tree.Process(4700, "renamed", Qemu("web", Uuid, "-smp", "8"));
        await using RunningDirectory running = new(tree.Options);
        await Wait.UntilAsync(() => running.Current.FindByPid(4700)?.VcpuThreads.Length == 2, "two vCPUs");
        Assert.Equal([new VcpuThread(4711, 0), new VcpuThread(4712, 1)], running.Current.FindByPid(4700)!.VcpuThreads);
        Assert.Equal(2, running.Current.FindByPid(4700)!.Vcpus);
        Assert.Null(running.Directory.KvmAbsence);
        tree.KvmVcpu(4700, 2, 4713);
        await Wait.UntilAsync(() => running.Current.FindByPid(4700)?.Vcpus == 3, "a third vCPU that was plugged in");
    }

    [Fact]
    public async Task ReadHaltPoll_KvmStatistics_OrWhyNot()
    {
        using ProcTree tree = new();
        tree.KvmVcpu(4700, 0, 4711).Process(4700, "qemu-system-x86", Qemu("web", Uuid)).Process(4800, "qemu-system-x86", Qemu("b", null));
        tree.KvmFile(4700, "halt_poll_success_ns", "123\n");
        tree.KvmFile(4700, "halt_poll_fail_ns", "45\n");
        await using RunningDirectory running = new(tree.Options);
        await Wait.UntilAsync(() => running.Current.Machines.Length == 2, "two machines");
        Assert.Equal(new HaltPoll(123, 45), running.Directory.ReadHaltPoll(running.Current.FindByPid(4700)!).Value);
        Assert.Equal(Absence.NotPresent, running.Directory.ReadHaltPoll(running.Current.FindByPid(4800)!).Reason);
        tree.KvmFile(4700, "halt_poll_fail_ns", "-\n");
        Assert.Equal(Absence.Malformed, running.Directory.ReadHaltPoll(running.Current.FindByPid(4700)!).Reason);
    }

    [Fact]
    public async Task RunAsync_TwoProcessesWithOneUuid_TheOneInItsOwnCgroupHasIt()
    {
        using ProcTree tree = new();
        tree.Process(4600, "qemu-system-x86", Qemu("evil", Uuid, "-device", "vhost-vsock-pci,guest-cid=7"), "/user.slice/user-1000.slice", startTicks: 10);
        tree.Process(4700, "qemu-system-x86", Qemu("web", Uuid, "-device", "vhost-vsock-pci,guest-cid=7"), Own + "/libvirt/emulator", startTicks: 20);
        await using RunningDirectory running = new(tree.Options);
        await Wait.UntilAsync(() => running.Current.Machines.Length == 2, "two machines");
        Assert.Equal(4700, running.Current.Find(Uuid)!.Process!.Value.Pid);
        Assert.Equal(4700, running.Current.FindByCid(7)!.Process!.Value.Pid);
        Machine imitation = running.Current.FindByPid(4600)!;
        Assert.True(imitation.Derived);
        Assert.NotEqual(Uuid, imitation.Uuid);
    }

    [Fact]
    public async Task FindByCid_TwoEqualClaims_AttestsNobody()
    {
        using ProcTree tree = new();
        tree.Process(4600, "qemu-system-x86", Qemu("a", null, "-device", "vhost-vsock-pci,guest-cid=7"));
        tree.Process(4700, "qemu-system-x86", Qemu("b", null, "-device", "vhost-vsock-pci,guest-cid=7"));
        await using RunningDirectory running = new(tree.Options);
        await Wait.UntilAsync(() => running.Current.Machines.Length == 2, "two machines");
        Assert.Null(running.Current.FindByCid(7));
    }

    [Fact]
    public async Task RunAsync_ASecondMachineOfOneUuid_HasTheSameIdOnTheNextRun()
    {
        using ProcTree tree = new();
        tree.Process(4600, "qemu-system-x86", Qemu("a", Uuid), startTicks: 10).Process(4700, "qemu-system-x86", Qemu("a", Uuid), startTicks: 20);
        string[] first;
        await using (RunningDirectory running = new(tree.Options))
        {
            await Wait.UntilAsync(() => running.Current.Machines.Length == 2, "two machines");
            first = [.. running.Current.Machines.Select(machine => machine.Uuid)];
        }

        await using RunningDirectory again = new(tree.Options);
        await Wait.UntilAsync(() => again.Current.Machines.Length == 2, "the same two");
        Assert.Equal(first, again.Current.Machines.Select(machine => machine.Uuid));
        Assert.Equal(4600, again.Current.Find(Uuid)!.Process!.Value.Pid);
    }

    [Fact]
    public async Task RunAsync_MoreThanTheLimit_AreNotFollowed()
    {
        using ProcTree tree = new();
        for (int i = 0; i < 5; i++)
        {
            tree.Process(4700 + i, "qemu-system-x86", Qemu($"m{i}", null));
        }

        await using RunningDirectory running = new(tree.Options with { MachineLimit = 3 });
        await Wait.UntilAsync(() => running.Current.Machines.Length > 0, "machines");
        Assert.Equal(3, running.Current.Machines.Length);
    }

    [Fact]
    public void Validate_EveryOptionWrong_NamesAll()
    {
        VirtOptions wrong = new()
        {
            ProcRoot = "proc",
            SysRoot = "",
            LibvirtUri = "",
            ScanInterval = TimeSpan.Zero,
            ReconnectPause = TimeSpan.FromHours(1),
            LongestReconnectPause = TimeSpan.Zero,
            MachineLimit = 0,
        };
        Assert.Equal(7, wrong.Validate().Count);
        ArgumentException error = Assert.Throws<ArgumentException>(() => new MachineDirectory(wrong, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
        Assert.Contains(nameof(VirtOptions.MachineLimit), error.Message, StringComparison.Ordinal);
    }
}
