using Keck.Metering;
using Keck.Tests;

namespace Keck.Power.Tests;

public sealed class TopologyReaderTests
{
    private static HostTopology Read(HostTree tree)
    {
        TopologyReader reader = new(new SystemFiles(), new PowerOptions { SysRoot = tree.Sys, ProcRoot = tree.Proc });
        return reader.Read(reader.ReadIdentity());
    }

    [Fact]
    public void Read_TwoSockets_CoresAreUniqueOnTheMachine()
    {
        Topology topology = Read(Fixtures.Host("two-sockets")).Topology;
        Assert.Equal(16, topology.Cpus.Length);
        Assert.Equal(2, topology.PackageCount);
        Assert.Equal(8, topology.Cpus.Select(place => place.Core).Distinct().Count());
        Assert.Equal(new CpuPlace(12, 4, 1, 1), topology.Place(12));
        Assert.Equal(4, topology.Sibling(12));
        Assert.Equal(new Kilohertz(2_400_000), topology.BaseFrequency);
    }

    [Fact]
    public void Read_ZonesPerDie_DiesArePackages()
    {
        HostTopology host = Read(Fixtures.Host("dies"));
        Assert.Equal(4, host.Topology.PackageCount);
        Assert.Equal(3, host.PackageOf(1, 1));
        Assert.Equal(3, host.Topology.Place(15)!.Value.Package);
    }

    [Fact]
    public void Read_CpusOffline_LeavesThemOut()
    {
        Topology topology = Read(Fixtures.Host("hot-unplugged")).Topology;
        Assert.Equal([0, 1, 2, 4, 5], topology.Cpus.Select(place => place.Cpu));
        Assert.Null(topology.Place(3));
    }

    [Fact]
    public void Read_OnlineListIsGarbage_TakesTheDirectoriesAndSaysSo()
    {
        HostTopology host = Read(Fixtures.Host("garbage"));
        Assert.Equal(2, host.Topology.Cpus.Length);
        Assert.Equal(2, host.Topology.Cpus.Select(place => place.Core).Distinct().Count());
        Assert.Equal(Absence.Malformed, host.Problem!.Reason);
    }

    [Fact]
    public void Read_NoCpus_IsAnAbsenceWithWords()
    {
        HostTopology host = Read(Fixtures.Host("missing"));
        Assert.Empty(host.Topology.Cpus);
        Assert.Equal(Absence.NotPresent, host.Problem!.Reason);
        Assert.NotNull(host.Problem.Mend);
    }

    [Fact]
    public void Read_FirstPackageUnplugged_NobodyIsRenumbered()
    {
        using HostTree tree = Fixtures.Host("two-sockets").CopyToTemp();
        TopologyReader reader = new(new SystemFiles(), new PowerOptions { SysRoot = tree.Sys, ProcRoot = tree.Proc });
        CpuIdentity identity = reader.ReadIdentity();
        CpuPlace before = reader.Read(identity).Topology.Place(5)!.Value;
        tree.WriteSys("devices/system/cpu/online", "4-7,12-15");
        Topology after = reader.Read(identity).Topology;
        Assert.Equal(before, after.Place(5));
        Assert.Equal(8, after.Cpus.Length);
    }

    [Fact]
    public void RefreshTopology_Unchanged_SaysNothing()
    {
        using Bench bench = Bench.Over("two-sockets");
        Assert.False(bench.Set.RefreshTopology());
        Assert.DoesNotContain(bench.Logged, entry => entry.Id == 1005);
    }

    [Fact]
    public void RefreshTopology_CpuWentOffline_IsSaidOnce()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tree.WriteSys("devices/system/cpu/online", "0-14");
        Assert.True(bench.Set.RefreshTopology());
        Assert.False(bench.Set.RefreshTopology());
        Assert.Equal(15, bench.Set.Topology.Cpus.Length);
        _ = Assert.Single(bench.Logged, entry => entry.Id == 1005);
    }

    [Theory]
    [InlineData("0-3,8,10-11\n", new[] { 0, 1, 2, 3, 8, 10, 11 })]
    [InlineData("0", new[] { 0 })]
    [InlineData("", new int[0])]
    public void Parse_CpuList_IsExpanded(string text, int[] cpus) => Assert.Equal(cpus, CpuList.Parse(text)!.Value);

    [Theory]
    [InlineData("0-banana")]
    [InlineData("3-1")]
    [InlineData("0-4000000000")]
    [InlineData("-1")]
    public void Parse_CpuListThatIsNone_IsNull(string text) => Assert.Null(CpuList.Parse(text));

    [Fact]
    public void ReadIdentity_Intel_IsWhatATraceHeaderNeeds()
    {
        using Bench bench = Bench.Over("two-sockets");
        CpuIdentity cpu = bench.Set.Cpu;
        Assert.Equal(("GenuineIntel", 6, 106, 6, "0xd0003b9"), (cpu.Vendor, cpu.Family, cpu.Model, cpu.Stepping, cpu.Microcode));
        Assert.False(cpu.Hypervisor);
        Assert.Equal(2_400_000, cpu.NominalKiloHertz);
    }

    [Fact]
    public void ReadIdentity_ThisMachine_HasCpus()
    {
        using MeterSet set = MeterSet.Discover(new PowerOptions(), TimeProvider.System);
        Assert.NotEmpty(set.Topology.Cpus);
        Assert.Contains(set.Meters, meter => meter.Selected);
    }
}
