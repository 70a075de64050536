namespace Keck.Host.Tests;

/// <summary>CPUs that go, a procfs in nonsense: the native agent meters on, and every sum holds.</summary>
[Trait("Speed", "slow")]
public sealed class CpuFaultTests
{
    private const long Joule = 1_000_000;

    [Fact]
    public async Task Cpus_SomeGoOffline_IsSaidOnceAndTheirThreadsStayMetered()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Work(2 * Joule);
        await agent.UntilEnergyAsync("package-1", 2 * Joule);

        // CPU 5, which postgres was last seen on, and its sibling.
        Unplug(machine, 5, 13);
        machine.WriteSys("devices/system/cpu/online", "0-4,6-12,14-15");
        await agent.UntilSaidAsync("CPUs online changed from 16 to 14");
        machine.Work(3 * Joule);
        await agent.UntilEnergyAsync("package-1", 5 * Joule);
        await agent.UntilEnergyAsync("package-0", 5 * Joule);
        Assert.Equal(14, (await agent.GetAsync("/api/v1/node")).GetProperty("cpus").GetInt32());
        Assert.Single(agent.Said("CPUs online changed"));
        Assert.Empty(agent.Said("error"));
    }

    [Fact]
    public async Task Cpus_SomeComeOnline_TheirRunsAreInTheirPackageFromTheFirstTick()
    {
        using MachineTree machine = new();
        machine.SeenOn(4812, 4);
        string cpu = Path.Combine(machine.Sys, "devices/system/cpu/cpu5"), aside = Path.Combine(machine.Sys, "aside");
        Directory.Move(cpu, aside);
        machine.WriteSys("devices/system/cpu/online", "0-4,6-15");
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Work(2 * Joule);
        await agent.UntilEnergyAsync("package-1", 2 * Joule);
        Directory.Move(aside, cpu);
        machine.WriteSys("devices/system/cpu/online", "0-15");
        machine.SeenOn(4812, 5);
        machine.Work(3 * Joule);
        await agent.UntilEnergyAsync("package-1", 5 * Joule);
        await agent.UntilSaidAsync("CPUs online changed from 15 to 16");
        machine.Work(Joule);
        await agent.UntilEnergyAsync("package-1", 6 * Joule);
        await agent.UntilEnergyAsync("package-0", 6 * Joule);
        Assert.Single(agent.Said("CPUs online changed"));
    }

    [Fact]
    public async Task Cpus_AWholePackageGoesOffline_TheOtherMetersOn()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Work(2 * Joule);
        await agent.UntilEnergyAsync("package-1", 2 * Joule);
        Unplug(machine, 4, 5, 6, 7, 12, 13, 14, 15);
        machine.WriteSys("devices/system/cpu/online", "0-3,8-11");
        machine.RemoveSys($"class/powercap/{MachineTree.Package1}/energy_uj");
        await agent.UntilSaidAsync("CPUs online changed from 16 to 8");
        machine.Run(4711, 20);
        machine.Run(4812, 20);
        machine.Add(MachineTree.Package0, 4 * Joule);
        await agent.UntilEnergyAsync("package-0", 6 * Joule);
        await agent.UntilEnergyAsync("package-1", 2 * Joule);
        Assert.Single(agent.Said("is not there"));
    }

    [Fact]
    public async Task Cpus_NoneIsKnown_IsSaidOnceAndEnergyKeepsItsOwners()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Work(2 * Joule);
        await agent.UntilEnergyAsync("package-0", 2 * Joule);
        Unplug(machine, [.. Enumerable.Range(0, 16)]);
        machine.WriteSys("devices/system/cpu/online", "");
        await agent.UntilSaidAsync("no CPU is known");
        machine.Work(3 * Joule);
        await agent.UntilEnergyAsync("package-0", 5 * Joule);
        await agent.UntilEnergyAsync("package-1", 5 * Joule);
        Assert.Equal(0, (await agent.GetAsync("/api/v1/node")).GetProperty("cpus").GetInt32());
        Assert.Single(agent.Said("no CPU is known"));
        Assert.Empty(agent.Said("error"));
    }

    [Fact]
    public async Task Cpus_ListInNonsense_TheFoldersAreTakenAndThatIsSaid()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.WriteSys("devices/system/cpu/online", "all of them");
        await agent.UntilSaidAsync("holds no list of CPUs");
        machine.Work(3 * Joule);
        await agent.UntilEnergyAsync("package-1", 3 * Joule);
        Assert.Equal(16, (await agent.GetAsync("/api/v1/node")).GetProperty("cpus").GetInt32());
        Assert.Single(agent.Said("holds no list of CPUs"));
    }

    [Theory]
    [InlineData("stat")]
    [InlineData("schedstat")]
    [InlineData("cgroup")]
    public async Task Procfs_AProcessInNonsense_TheOthersAreMeteredAndNothingIsLost(string file)
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Work(2 * Joule);
        await agent.UntilEnergyAsync("package-0", 2 * Joule);
        foreach (string path in Directory.EnumerateFiles(Path.Combine(machine.Proc, "4711"), file, SearchOption.AllDirectories))
        {
            File.WriteAllBytes(path, [0xff, 0x00, (byte)'(', 0x80, (byte)'\n', (byte)')']);
        }

        machine.Add(MachineTree.Package0, 3 * Joule);
        machine.Run(4812, 20);
        machine.Add(MachineTree.Package1, 3 * Joule);
        await agent.UntilEnergyAsync("package-0", 5 * Joule);
        await agent.UntilEnergyAsync("package-1", 5 * Joule);
        Assert.Empty(agent.Said("error"));
    }

    [Fact]
    public async Task Procfs_AllGone_EnergyIsNobodysAndNotLost()
    {
        using MachineTree machine = new();
        await using LiveAgent agent = await LiveAgent.StartAsync(machine);
        machine.Work(2 * Joule);
        await agent.UntilEnergyAsync("package-0", 2 * Joule);
        Directory.Delete(machine.Proc, recursive: true);
        machine.Add(MachineTree.Package0, 7 * Joule);
        await agent.UntilEnergyAsync("package-0", 9 * Joule);
        Assert.Empty(agent.Said("error"));
    }

    [Theory]
    [InlineData("cpu  all of it\ncpu0 \nctxt many\n")]
    [InlineData("")]
    [InlineData("cpu99999999999999999999 1 2 3\ncpu-1 1 1 1 1 1 1 1 1\nctxt 18446744073709551616\n")]
    public async Task Procfs_StatInNonsenseUnderTheKernelsAccounting_MetersOn(string stat)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/sys/kernel/btf/vmlinux"), "needs root and a kernel with BTF");
        using MachineTree machine = new();
        File.WriteAllText(Path.Combine(machine.Proc, "stat"), stat);
        await using LiveAgent agent = await LiveAgent.StartAsync(
            HostBinary.Path, ["run", "--profile", "full", "--runs", "ebpf", "--path.procfs", machine.Proc]);
        File.WriteAllText(Path.Combine(machine.Proc, "stat"), stat + stat);
        long tick = (await agent.GetAsync("/api/v1/node")).GetProperty("tick").GetInt64();
        await agent.UntilAsync("five ticks more", async () => (await agent.GetAsync("/api/v1/node")).GetProperty("tick").GetInt64() > tick + 5);
        Assert.True((await agent.TreeAsync()).GetProperty("energyMicrojoules").GetInt64() > 0);
        Assert.Empty(agent.Said("error"));
    }

    private static void Unplug(MachineTree machine, params int[] cpus)
    {
        foreach (int cpu in cpus)
        {
            machine.RemoveSys($"devices/system/cpu/cpu{cpu}");
        }
    }
}
