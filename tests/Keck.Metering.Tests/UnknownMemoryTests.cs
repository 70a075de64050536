namespace Keck.Metering.Tests;

public sealed class UnknownMemoryTests
{
    [Fact]
    public void Attribute_ProcessWhosePssMayNotBeRead_ItsPartIsUnattributedAndNotTheOthers()
    {
        Observation observation = Machines.Observation(Machines.Topology(1, 1), Machines.Package(0), Machines.Dram(0));
        int known = observation.Process(1, pss: 3_000);
        _ = observation.Process(2, pss: 1_000);
        int unknown = observation.Process(3, pss: Unobserved.Value);
        observation.Next(100_000_000);
        observation.Run(observation.Thread(11, known), (0, 90_000_000, 90_000));
        observation.CloseCpus();
        observation.Read(0, 1_000_000);
        observation.Read(1, 600_000);

        TickAttribution result = new Attributor().Attribute(observation);

        // Known 3,000 + 1,000; the third counts as their mean, 2,000: of six parts it has two, the first three.
        MeterShares dram = result.Shares[1];
        long active = dram.Total - dram.Static;
        Assert.InRange(dram.UnattributedActive, (active / 3) - 1, (active / 3) + 1);
        Assert.InRange(result.Active(known, 1), (active / 2) - 1, (active / 2) + 1);
        Assert.DoesNotContain(unknown, result.Processes.Items.ToArray());
    }
}
