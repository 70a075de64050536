using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Keck.Metering.Tests;

public sealed class LedgerStateTests
{
    [Fact]
    public void Read_WrittenLedger_HoldsTheSameEnergyAndGoesOn()
    {
        var scenario = new TraceScenario(31);
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Run(scenario, attributor, ledger, 60);
        LedgerSnapshot before = ledger.Snapshot();

        using JsonDocument document = JsonDocument.Parse(Write(ledger, attributor));
        EnergyLedger restored = LedgerState.Read(document.RootElement, epoch: null);
        Assert.Equal(Write(ledger, attributor), Write(restored, attributor));

        // Another run of the agent: other tables, the same machines and cgroups.
        var again = new TraceScenario(32);
        var resumed = new Attributor(null, LedgerState.ReadFloors(document.RootElement));
        Run(again, resumed, restored, 40);
        LedgerSnapshot after = restored.Snapshot();

        Assert.Equal((before.Epoch, before.StartNanoseconds), (after.Epoch, after.StartNanoseconds));
        AssertConserved(before);
        AssertConserved(after);
        foreach (MeterTotals totals in before.Meters)
        {
            Assert.True(after.Meters.Single(meter => meter.Meter.Id == totals.Meter.Id).Total > totals.Total);
        }

        foreach (ConsumerTotals group in before.Consumers.Where(c => c.Kind is not ConsumerKind.Process))
        {
            ConsumerTotals same = after.Consumers.Single(c => (c.Kind, c.Id) == (group.Kind, group.Id));
            Assert.True(same.TotalActive >= group.TotalActive && same.Bounds.SystematicAbove >= group.Bounds.SystematicAbove && same.CpuNanoseconds >= group.CpuNanoseconds);
        }

        MachineTotals machine = Assert.Single(before.Machines);
        MachineTotals later = Assert.Single(after.Machines);
        Assert.Equal(machine.Series, later.Series);
        Assert.True(machine.Vcpus.Zip(later.Vcpus).All(pair => pair.Second.Microjoules >= pair.First.Microjoules) && later.Overhead >= machine.Overhead);
    }

    [Fact]
    public void Read_WrittenLedger_SystemIdleAndDepartedKeepTheirBounds()
    {
        var scenario = new TraceScenario(36);
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Run(scenario, attributor, ledger, 60);
        LedgerSnapshot before = ledger.Snapshot();
        Assert.Contains(before.Meters, meter => meter.IdleBounds.SystematicBelow > 0);
        Assert.Contains(before.Meters, meter => meter.SystemActive > 0 && meter.SystemBounds.SystematicAbove > 0);

        using JsonDocument document = JsonDocument.Parse(Write(ledger, attributor));
        LedgerSnapshot after = LedgerState.Read(document.RootElement, epoch: null).Snapshot();
        foreach ((MeterTotals was, MeterTotals now) in before.Meters.Zip(after.Meters))
        {
            Assert.Equal((was.SystemBounds, was.IdleBounds, was.UnattributedBounds), (now.SystemBounds, now.IdleBounds, now.UnattributedBounds));

            // Processes are not kept one by one: what they used is with the departed, in doubt as it was.
            Assert.True(now.DepartedActive == 0 || now.DepartedBounds.SystematicAbove > 0);
        }

        // By meter a part is in more doubt than by the whole, and never in more than all of the whole's.
        double doubt = before.Consumers.Where(c => c.Kind == ConsumerKind.Process).Sum(c => c.Bounds.SystematicAbove) + before.Meters.Sum(meter => meter.DepartedBounds.SystematicAbove);
        Assert.InRange(after.Meters.Sum(meter => meter.DepartedBounds.SystematicAbove), doubt * 0.999, doubt * before.Meters.Length);
    }

    [Fact]
    public void Read_StateOfAnEarlierVersion_PartsMayBeAnythingUpToTheMetersAll()
    {
        var scenario = new TraceScenario(37);
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Run(scenario, attributor, ledger, 20);
        JsonNode state = JsonNode.Parse(Write(ledger, attributor))!;
        foreach (JsonObject column in state["columns"]!.AsArray().OfType<JsonObject>())
        {
            Assert.True(column.Remove("systemBounds") && column.Remove("unattributedBounds") && column.Remove("idleBounds") && column.Remove("departedBounds"));
        }

        using JsonDocument document = JsonDocument.Parse(state.ToJsonString());
        Assert.All(LedgerState.Read(document.RootElement, epoch: null).Snapshot().Meters, meter =>
        {
            Assert.Equal((0, meter.Total), (meter.IdleBounds.Low(meter.IdleSeparate), meter.IdleBounds.High(meter.IdleSeparate)));
            Assert.Equal((0, meter.Total), (meter.SystemBounds.Low(meter.SystemActive), meter.SystemBounds.High(meter.SystemActive)));
        });
    }

    [Theory]
    [InlineData("boundBelow", "1e25")]
    [InlineData("boundAbove", "1e19")]
    [InlineData("boundRandomSquare", "1e60")]
    public void Read_BoundBeyondAnythingThatCanBeShown_IsRefused(string member, string value)
    {
        var scenario = new TraceScenario(38);
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Run(scenario, attributor, ledger, 20);
        JsonNode state = JsonNode.Parse(Write(ledger, attributor))!;
        state["columns"]![0]!["idleBounds"]![member] = JsonNode.Parse(value);
        using JsonDocument document = JsonDocument.Parse(state.ToJsonString());
        Assert.Throws<TraceFormatException>(() => LedgerState.Read(document.RootElement, epoch: null));
    }

    [Fact]
    public void Read_OtherEpoch_KeepsTheEnergyUnderTheNewName()
    {
        var scenario = new TraceScenario(33);
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Run(scenario, attributor, ledger, 20);
        var epoch = Guid.NewGuid();

        using JsonDocument document = JsonDocument.Parse(Write(ledger, attributor));

        Assert.Equal(epoch, LedgerState.Read(document.RootElement, epoch).Epoch);
    }

    [Fact]
    public void Prune_GroupsNobodyCameBackTo_AreLetGoAfterTenMinutesAndMachinesStay()
    {
        var scenario = new TraceScenario(34);
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Run(scenario, attributor, ledger, 60);
        using JsonDocument document = JsonDocument.Parse(Write(ledger, attributor));
        EnergyLedger restored = LedgerState.Read(document.RootElement, epoch: null);

        Observation empty = Machines.Observation(Machines.Topology(1, 2), Machines.Package(0));
        var fresh = new Attributor();
        Tick(1_000_000_000);
        Assert.Contains(restored.Snapshot().Consumers, c => c.Kind == ConsumerKind.Cgroup);
        Tick(601_000_000_000);

        Assert.Equal([ConsumerKind.Machine], restored.Snapshot().Consumers.Select(c => c.Kind));

        void Tick(long length)
        {
            empty.Next(length);
            empty.CloseCpus();
            restored.Apply(empty, fresh.Attribute(empty));
        }
    }

    [Fact]
    public void Read_MutatedState_FailsInOneWayOnly()
    {
        const int Seed = 99;
        var random = new Random(Seed);
        var scenario = new TraceScenario(35);
        var attributor = new Attributor();
        var ledger = new EnergyLedger(Guid.NewGuid());
        Run(scenario, attributor, ledger, 20);
        byte[] good = Encoding.UTF8.GetBytes(Write(ledger, attributor));
        int refused = 0;
        for (int i = 0; i < 3_000; i++)
        {
            byte[] bad = [.. good];
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(32, 127);
            }

            try
            {
                using JsonDocument document = JsonDocument.Parse(bad);
                _ = LedgerState.Read(document.RootElement, epoch: null).Snapshot();
                _ = LedgerState.ReadFloors(document.RootElement);
            }
            catch (Exception e) when (e is TraceFormatException or JsonException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1_000, 3_000);
    }

    private static void Run(TraceScenario scenario, Attributor attributor, EnergyLedger ledger, int ticks)
    {
        for (int i = 0; i < ticks; i++)
        {
            scenario.Next();
            ledger.Apply(scenario.Observation, attributor.Attribute(scenario.Observation));
        }
    }

    private static string Write(EnergyLedger ledger, Attributor attributor)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            LedgerState.Write(ledger, attributor, json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void AssertConserved(LedgerSnapshot snapshot)
    {
        for (int meter = 0; meter < snapshot.Meters.Length; meter++)
        {
            MeterTotals totals = snapshot.Meters[meter];
            ConsumerTotals[] processes = [.. snapshot.Consumers.Where(c => c.Kind == ConsumerKind.Process)];
            long rest = totals.Total - totals.SystemActive - totals.UnattributedActive - totals.DepartedActive - totals.Overhead;
            Assert.Equal(rest, processes.Sum(c => c.Active[meter]) + totals.IdleSeparate);
            Assert.Equal(
                rest - totals.SystemProportional - totals.UnattributedProportional - totals.DepartedProportional,
                processes.Sum(c => c.Active[meter] + c.Proportional[meter]) + totals.IdleProportional);
            Assert.Equal(totals.IdleSeparate, totals.IdleAllocated + totals.DepartedAllocated + snapshot.Consumers.Sum(c => c.Static(IdlePolicy.Allocated, meter)));
        }
    }
}
