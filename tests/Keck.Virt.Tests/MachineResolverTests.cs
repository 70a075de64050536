using Keck.Metering;

namespace Keck.Virt.Tests;

/// <summary>Which thread does what for which machine, over made-up trees and observations.</summary>
public sealed class MachineResolverTests
{
    private const string Uuid = "4dea22b3-1d52-48f3-9516-782e98ab3fa0";
    private const string Own = "/machine.slice/machine-qemu\\x2d3\\x2dweb.scope";
    private static readonly string[] Argv = ["/usr/bin/qemu-system-x86_64", "-name", "guest=web,debug-threads=on", "-uuid", Uuid, "-smp", "2", "-m", "512"];

    [Fact]
    public async Task Resolve_QemuNamesItsThreadsLate_RolesFollow()
    {
        using ProcTree tree = new();
        tree.Process(4700, "qemu-system-x86", Argv, Own + "/libvirt/emulator");
        await using Bench bench = new(tree);
        bench.Add(4700, 4700, "qemu-system-x86", Own + "/libvirt/emulator");
        await bench.UntilMachineAsync(4700);
        // A worker born of a vCPU thread has that thread's name until it gets its own.
        tree.Thread(4700, 4711, "qemu-system-x86").Thread(4700, 4712, "CPU 0/KVM").Thread(4700, 4713, "qemu-system-x86");
        bench.Tick(() =>
        {
            bench.Add(4700, 4711, "qemu-system-x86");
            bench.Add(4700, 4712, "CPU 0/KVM");
            bench.Add(4700, 4713, "qemu-system-x86");
        });
        Assert.Equal((ThreadRole.Vcpu, 0), bench.Role(4712));
        tree.Thread(4700, 4711, "CPU 1/KVM").Thread(4700, 4712, "worker").Thread(4700, 4713, "IO iothread1");
        bench.Tick();
        Assert.Equal((ThreadRole.Emulator, 0), bench.Role(4700));
        Assert.Equal((ThreadRole.Vcpu, 1), bench.Role(4711));
        Assert.Equal((ThreadRole.Emulator, 0), bench.Role(4712));
        Assert.Equal(ThreadRole.Iothread, bench.Role(4713).Role);
        Assert.Equal("CPU 1/KVM", bench.Thread(4711).Name);
        MachineRow row = bench.Observation.Machines[bench.Process(4700).Machine];
        Assert.Equal(new MachineRow(Uuid, "web", 2, 524_288), row);
        for (int i = 0; i < 10; i++)
        {
            bench.Tick();
        }

        Assert.Equal(0, bench.Resolver.YoungCount);
    }

    [Fact]
    public async Task Resolve_WithoutThreadNames_KvmOrTheCgroupTells()
    {
        using ProcTree tree = new();
        tree.Process(4700, "kvm", ["/usr/bin/kvm", "-uuid", Uuid], Own).Thread(4700, 4711, "kvm").KvmVcpu(4700, 3, 4711);
        tree.Process(4800, "kvm", ["/usr/bin/kvm", "-name", "b"], "/machine/qemu-4-b.libvirt-qemu/emulator")
            .Thread(4800, 4811, "kvm", "/machine/qemu-4-b.libvirt-qemu/vcpu1").Thread(4800, 4812, "kvm", "/machine/qemu-4-b.libvirt-qemu/iothread1")
            .Thread(4800, 4813, "kvm", "/machine/qemu-4-b.libvirt-qemu-fake/vcpu7");
        await using Bench bench = new(tree);
        foreach (int tid in (int[])[4700, 4711])
        {
            bench.Add(4700, tid, "kvm");
        }

        foreach (int tid in (int[])[4800, 4811, 4812, 4813])
        {
            bench.Add(4800, tid, "kvm");
        }

        await bench.UntilMachineAsync(4700);
        await bench.UntilMachineAsync(4800);
        bench.Tick();
        bench.Tick();
        Assert.Equal((ThreadRole.Vcpu, 3), bench.Role(4711));
        Assert.Equal((ThreadRole.Vcpu, 1), bench.Role(4811));
        Assert.Equal(ThreadRole.Iothread, bench.Role(4812).Role);
        Assert.Equal(ThreadRole.Emulator, bench.Role(4813).Role);
    }

    [Fact]
    public async Task Resolve_KvmSaysAnotherThreadRunsTheVcpu_TheNameDoesNotCount()
    {
        using ProcTree tree = new();
        tree.Process(4700, "qemu-system-x86", Argv, Own).Thread(4700, 4711, "CPU 0/KVM").Thread(4700, 4712, "CPU 0/KVM").KvmVcpu(4700, 0, 4711);
        await using Bench bench = new(tree);
        bench.Add(4700, 4700, "qemu-system-x86");
        bench.Add(4700, 4711, "CPU 0/KVM");
        bench.Add(4700, 4712, "CPU 0/KVM");
        await bench.UntilMachineAsync(4700);
        await Wait.UntilAsync(() => bench.Directory.Current.FindByPid(4700)!.VcpuThreads.Length == 1, "KVM's word");
        bench.Tick();
        Assert.Equal((ThreadRole.Vcpu, 0), bench.Role(4711));
        Assert.Equal(ThreadRole.Emulator, bench.Role(4712).Role);
    }

    [Fact]
    public async Task Resolve_VhostWorkers_GoToTheMachineTheyServe()
    {
        using ProcTree tree = new();
        tree.Process(4700, "qemu-system-x86", Argv, Own).Thread(4700, 4711, "qemu-system-x86").Thread(4700, 4720, "vhost-4700");
        tree.Process(4750, "vhost-4711", [""]).Process(4751, "kthreadd", [""]).Process(4752, "vhost-1", [""]);
        await using Bench bench = new(tree);
        bench.Add(4700, 4700, "qemu-system-x86");
        bench.Add(4700, 4711, "qemu-system-x86");
        bench.Add(4700, 4720, "vhost-4700");
        // Before Linux 6.4: kernel threads. One bears the tid of another thread than the leader, one has no name yet, one is nobody's.
        bench.Add(4750, 4750, "vhost-4711", kernel: true);
        bench.Add(4751, 4751, "kthreadd", kernel: true);
        bench.Add(4752, 4752, "vhost-1", kernel: true);
        await bench.UntilMachineAsync(4700);
        int qemu = bench.Observation.ProcessTable.FindNewest(4700);
        Assert.Equal(ThreadRole.Vhost, bench.Role(4720).Role);
        Assert.Equal((ThreadRole.Vhost, qemu), (bench.Thread(4750).Role, bench.Thread(4750).Process));
        Assert.Equal((ThreadRole.None, bench.Observation.ProcessTable.FindNewest(4752)), (bench.Thread(4752).Role, bench.Thread(4752).Process));
        Assert.Equal(4, bench.Process(4700).LiveThreads);
        Assert.Equal(0, bench.Process(4750).LiveThreads);
        tree.Thread(4761, 4761, "vhost-4700");
        bench.Tick(() => bench.Add(4761, 4761, "kthreadd", kernel: true));
        bench.Tick();
        Assert.Equal((ThreadRole.Vhost, qemu), (bench.Thread(4761).Role, bench.Thread(4761).Process));
    }

    [Fact]
    public async Task Resolve_Helpers_ByTheMachinesCgroup()
    {
        const string Pod = "/kubepods.slice/kubepods-pod0d6b1e5c_7d0a_4a5e_9a51_1f2e3d4c5b6a.slice/crio-x.scope";
        using ProcTree tree = new();
        tree.Process(4700, "qemu-system-x86", Argv, Own + "/libvirt/emulator").Process(4800, "qemu-kvm", ["/usr/libexec/qemu-kvm", "-name", "guest=prod_a", "-uuid", "6a1a24a1-4061-4607-8bf4-a3963d0c5895"], Pod);
        await using Bench bench = new(tree);
        bench.Add(4700, 4700, "qemu-system-x86", Own + "/libvirt/emulator");
        bench.Add(4701, 4701, "swtpm", Own + "/libvirt/emulator");
        bench.Add(4702, 4702, "virtiofsd", "/system.slice");
        bench.Add(4800, 4800, "qemu-kvm", Pod);
        bench.Add(4801, 4801, "swtpm", Pod);
        bench.Add(4802, 4802, "virt-launcher", Pod);
        await bench.UntilMachineAsync(4700);
        await bench.UntilMachineAsync(4800);
        bench.Tick();
        Assert.Equal((ThreadRole.Helper, bench.Process(4700).Machine), (bench.Role(4701).Role, bench.Process(4701).Machine));
        Assert.Equal((ThreadRole.Helper, bench.Process(4800).Machine), (bench.Role(4801).Role, bench.Process(4801).Machine));
        Assert.Equal((ThreadRole.None, -1), (bench.Role(4702).Role, bench.Process(4702).Machine));
        Assert.Equal((ThreadRole.None, -1), (bench.Role(4802).Role, bench.Process(4802).Machine));
        // libvirt moves it there after it ran already.
        bench.Process(4702).Cgroup = Own + "/libvirt/emulator";
        bench.Tick();
        Assert.Equal(ThreadRole.Helper, bench.Role(4702).Role);
    }

    [Fact]
    public async Task Resolve_PidGivenAgain_IsNotTheMachine()
    {
        using ProcTree tree = new();
        tree.Process(4700, "qemu-system-x86", Argv, Own, startTicks: 1000);
        await using Bench bench = new(tree);
        bench.Add(4700, 4700, "qemu-system-x86", startTicks: 999);
        await Wait.UntilAsync(() => bench.Directory.Current.Machines.Length == 1, "the machine");
        bench.Tick();
        Assert.Equal(-1, bench.Process(4700).Machine);
    }

    [Fact]
    public async Task Resolve_MachineEnds_ItsRowGoesWithItsLastProcess()
    {
        using ProcTree tree = new();
        tree.Process(4700, "qemu-system-x86", Argv, Own);
        await using Bench bench = new(tree);
        bench.Add(4700, 4700, "qemu-system-x86");
        await bench.UntilMachineAsync(4700);
        tree.End(4700);
        await Wait.UntilAsync(() => bench.Directory.Current.Machines.IsEmpty, "the end");
        bench.Tick();
        int index = bench.Process(4700).Machine;
        Assert.False(bench.Observation.Machines[index].Running);
        for (int i = 0; i < 70; i++)
        {
            bench.Tick();
        }

        Assert.NotNull(bench.Observation.Machines.At(index));
        bench.Observation.ProcessTable.Release(bench.Observation.ProcessTable.FindNewest(4700));
        for (int i = 0; i < 70; i++)
        {
            bench.Tick();
        }

        Assert.Equal(0, bench.Observation.Machines.Count);
    }

    [Fact]
    public async Task Resolve_NothingNew_AllocatesNothing()
    {
        using ProcTree tree = new();
        tree.Process(4700, "qemu-system-x86", Argv, Own).Thread(4700, 4711, "CPU 0/KVM");
        await using Bench bench = new(tree);
        bench.Add(4700, 4700, "qemu-system-x86", Own);
        bench.Add(4700, 4711, "CPU 0/KVM");
        for (int pid = 5000; pid < 6000; pid++)
        {
            bench.Add(pid, pid, "sh", $"/system.slice/s{pid % 7}.service");
        }

        await bench.UntilMachineAsync(4700);
        for (int i = 0; i < 200; i++)
        {
            bench.Tick();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
        {
            bench.Resolver.Resolve(bench.Observation);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
