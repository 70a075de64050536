using System.Collections.Immutable;
using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class EnergyTreeTests
{
    [Theory]
    [InlineData(IdlePolicy.Separate)]
    [InlineData(IdlePolicy.Proportional)]
    [InlineData(IdlePolicy.Allocated)]
    public void Build_ConsistentLedger_EveryNodeIsTheSumOfItsChildren(IdlePolicy policy)
    {
        LedgerSnapshot ledger = SampleLedger.At(7);
        EnergyNode tree = EnergyTree.Build(ledger, policy, EnergyTree.MaxDepth, "host");
        Assert.True(tree.SumsUp);
        Assert.Equal(ledger.Meters.Sum(meter => meter.Total), tree.EnergyMicrojoules);
        int inner = 0;
        Walk(tree);
        Assert.True(inner > 10);

        void Walk(EnergyNode node)
        {
            if (node.Children is { } children)
            {
                inner++;
                Assert.Equal(node.EnergyMicrojoules, children.Sum(child => child.EnergyMicrojoules));
                Assert.Equal(children.Count, children.Select(child => child.Id).Distinct().Count());
                Assert.All(children, Walk);
            }
        }
    }

    [Theory]
    [InlineData(IdlePolicy.Separate)]
    [InlineData(IdlePolicy.Proportional)]
    [InlineData(IdlePolicy.Allocated)]
    public void Machines_ConsistentLedger_EveryNodeIsTheSumOfItsChildren(IdlePolicy policy)
    {
        LedgerSnapshot ledger = SampleLedger.At(7);
        EnergyNode tree = MachineTree.Build(ledger, policy, EnergyTree.MaxDepth, "host", null);
        Assert.True(tree.SumsUp);
        Assert.Equal(ledger.Meters.Sum(meter => meter.Total), tree.EnergyMicrojoules);
        Assert.Equal(tree.EnergyMicrojoules, tree.Children!.Sum(child => child.EnergyMicrojoules));
        EnergyNode machine = Child(tree, SampleLedger.MachineUuid);
        ConsumerTotals totals = ledger.Consumers.Single(consumer => consumer.Kind == ConsumerKind.Machine);
        Assert.Equal(totals.TotalActive + totals.TotalStatic(policy), machine.EnergyMicrojoules);
        Assert.Equal(machine.EnergyMicrojoules, machine.Children!.Sum(child => child.EnergyMicrojoules));
        Assert.Equal(ledger.Machines[0].Vcpus[1].Microjoules, Child(machine, "vcpu-1").EnergyMicrojoules);
        Assert.Equal(policy == IdlePolicy.Allocated, tree.Children!.Any(child => child.Id == "departed"));
    }

    [Fact]
    public void Machines_VcpusDoNotMatchTheMachine_SaysSoUpToTheRoot()
    {
        LedgerSnapshot ledger = SampleLedger.At(7);
        MachineTotals wrong = ledger.Machines[0] with { Overhead = ledger.Machines[0].Overhead + 1 };
        EnergyNode tree = MachineTree.Build(ledger with { Machines = [wrong] }, IdlePolicy.Separate, 1, "host", null);
        Assert.False(tree.SumsUp);
        Assert.False(Child(tree, SampleLedger.MachineUuid).SumsUp);
    }

    [Theory]
    [InlineData(IdlePolicy.Separate)]
    [InlineData(IdlePolicy.Proportional)]
    [InlineData(IdlePolicy.Allocated)]
    public void Build_MeterOfAnotherOriginHadTheIdBefore_SumsAndIdsHold(IdlePolicy policy)
    {
        LedgerSnapshot ledger = SampleLedger.WithStaticAndEarlierMeter(SampleLedger.At(7));
        EnergyNode tree = EnergyTree.Build(ledger, policy, EnergyTree.MaxDepth, "host", null, static _ => new EnergyRate(1_000_000, 1));
        Assert.True(tree.SumsUp);
        Assert.True(MachineTree.Build(ledger, policy, EnergyTree.MaxDepth, "host", null).SumsUp);
        Walk(tree);

        void Walk(EnergyNode node)
        {
            EnergyNode[] children = [.. node.Children ?? []];
            Assert.Equal(children.Length, children.Select(child => child.Id).Distinct().Count());
            Assert.All(children, Walk);
        }
    }

    [Fact]
    public void Build_InAGuest_TheHypervisorsOverheadHasANode()
    {
        MeterTotals overhead = new()
        {
            Meter = new() { Id = "overhead", Domain = EnergyDomain.Overhead, Origin = EnergyOrigin.Budget, Quality = ReadingQuality.Measured },
            Total = 7,
            Overhead = 7,
        };
        LedgerSnapshot ledger = LedgerSnapshot.Empty with { Meters = [overhead] };
        EnergyNode tree = EnergyTree.Build(ledger, IdlePolicy.Separate, EnergyTree.MaxDepth, "guest");
        Assert.True(tree.SumsUp);
        Assert.Equal(7, Child(Child(tree, "overhead"), "overhead-overhead").EnergyMicrojoules);
        Assert.True(MachineTree.Build(ledger, IdlePolicy.Separate, 1, "guest", null).SumsUp);
    }

    [Fact]
    public void Build_MachinesProcess_IsBelowItsMachine()
    {
        EnergyNode core = Child(Child(EnergyTree.Build(SampleLedger.At(7), IdlePolicy.Separate, EnergyTree.MaxDepth, "host"), "package-0"), "core-0");
        EnergyNode machine = Child(core.Children![0], SampleLedger.MachineUuid);
        Assert.Equal(("machine", "web-vm", "qemu-kvm"), (machine.Kind, machine.Name, machine.Children![0].Name));
    }

    [Fact]
    public void Build_EnergyWithoutCpu_IsAChildOfItsOwn()
    {
        EnergyNode package = Child(EnergyTree.Build(SampleLedger.At(7), IdlePolicy.Separate, EnergyTree.MaxDepth, "host"), "package-0");
        Assert.Equal(17, Child(package, "core-unknown").EnergyMicrojoules);
        Assert.Equal("no core known", Child(package, "core-unknown").Name);
        Assert.Equal(2, Child(package, "core-0").Children!.Count);
    }

    [Fact]
    public void Build_MeterDoesNotMatchItsParts_SaysSoUpToTheRoot()
    {
        LedgerSnapshot ledger = SampleLedger.At(7);
        MeterTotals wrong = ledger.Meters[1] with { Total = ledger.Meters[1].Total + 1 };
        EnergyNode tree = EnergyTree.Build(ledger with { Meters = ledger.Meters.SetItem(1, wrong) }, IdlePolicy.Separate, 1, "host");
        Assert.False(tree.SumsUp);
        Assert.False(Child(tree, "package-1").SumsUp);
        Assert.True(Child(tree, "package-0").SumsUp);
    }

    [Fact]
    public void Build_FaultBelowTheDepthShown_IsStillSeen()
    {
        LedgerSnapshot ledger = SampleLedger.At(7);
        int system = ledger.Cores.Select((row, index) => (row, index)).First(item => item.row.Owner == "system").index;
        ImmutableArray<CoreTotals> cores = ledger.Cores.SetItem(system, ledger.Cores[system] with { Microjoules = 1 });
        EnergyNode tree = EnergyTree.Build(ledger with { Cores = cores }, IdlePolicy.Separate, 0, "host");
        Assert.Null(tree.Children);
        Assert.False(tree.SumsUp);
    }

    [Fact]
    public void Build_RowsOfAPackageWithoutMeter_DoNotSumUp()
    {
        LedgerSnapshot ledger = SampleLedger.At(7);
        EnergyNode tree = EnergyTree.Build(
            ledger with { Cores = ledger.Cores.Add(new CoreTotals(null, "system", 5, 3, 10, 1, null)) }, IdlePolicy.Separate, 6, "host");
        Assert.False(tree.SumsUp);
    }

    [Fact]
    public void Build_TwoMetersOfAPackage_ShareOneNode()
    {
        LedgerSnapshot ledger = SampleLedger.At(7);
        MeterTotals core = new()
        {
            Meter = new() { Id = "gpu-0", Domain = EnergyDomain.Gpu, Package = 0, Origin = EnergyOrigin.Nvml, Quality = ReadingQuality.Measured },
            Total = 50,
            IdleSeparate = 50,
            IdleProportional = 50,
            Static = 50,
        };
        EnergyNode tree = EnergyTree.Build(
            ledger with
            {
                Meters = ledger.Meters.Add(core),
                Consumers = [.. ledger.Consumers.Select(consumer => consumer with { Active = consumer.Active.Add(0), Proportional = consumer.Proportional.Add(0) })],
            },
            IdlePolicy.Separate, 6, "host");
        Assert.True(tree.SumsUp);
        Assert.Equal("package 0: package-0 + gpu-0", Child(tree, "package-0-meters").Name);
    }

    [Fact]
    public void Build_EarlierLedger_GivesWattsByCore()
    {
        EnergyNode tree = EnergyTree.Build(SampleLedger.At(20), IdlePolicy.Separate, 6, "host", SampleLedger.At(10));
        EnergyNode core = Child(Child(tree, "package-1"), "core-2");
        Assert.Equal(1.750004, core.PowerWatts!.Value, 6);
        Assert.Equal(2_900_000, core.KiloHertz);
    }

    [Fact]
    public void Build_EmptyLedger_IsAnEmptyHost()
    {
        EnergyNode tree = EnergyTree.Build(LedgerSnapshot.Empty, IdlePolicy.Separate, 6, "host");
        Assert.True(tree.SumsUp);
        Assert.Equal(0, tree.EnergyMicrojoules);
    }

    private static EnergyNode Child(EnergyNode node, string id) => node.Children!.Single(child => child.Id == id);
}
