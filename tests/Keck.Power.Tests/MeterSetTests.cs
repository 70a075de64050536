using Keck.Metering;
using Keck.Tests;

namespace Keck.Power.Tests;

public sealed class MeterSetTests
{
    private static readonly string[] Hosts =
        ["two-sockets", "dies", "amd", "psys-laptop", "wrapped", "vm-flat-zero", "garbage", "missing", "hot-unplugged", "hwmon-sentinels"];

    [Fact]
    public void Meters_AnyHost_SelectedOnesNeverOverlapAndIdsAreUnique()
    {
        foreach (string host in Hosts)
        {
            using Bench bench = Bench.Over(host);
            Meter[] selected = [.. bench.Set.Meters.Where(meter => meter.Selected)];
            foreach (Meter one in selected)
            {
                foreach (Meter other in selected.Where(other => other != one))
                {
                    bool together = one.Package is null || other.Package is null || one.Package == other.Package;
                    Assert.False(together && (one.Domain == other.Domain || EnergyDomains.Contains(one.Domain, other.Domain)), $"{host}: {one.Id} and {other.Id}");
                }
            }

            Assert.Equal(bench.Set.Meters.Length, bench.Set.Meters.Select(meter => meter.Id).Distinct().Count());
            Assert.All(bench.Set.Meters, meter => Assert.Equal(meter.Selected, meter.NotSelectedBecause is null));
        }
    }

    [Theory]
    [InlineData("two-sockets", "package-0 dram-0 package-1 dram-1")]
    [InlineData("psys-laptop", "package-0 dram-0")]
    [InlineData("amd", "package-0 dram-0")]
    [InlineData("garbage", "psys")]
    [InlineData("missing", "")]
    [InlineData("hwmon-sentinels", "platform")]
    public void Meters_Host_SelectsTheBestPerDomain(string host, string ids)
    {
        using Bench bench = Bench.Over(host);
        Assert.Equal(ids, string.Join(' ', bench.Selected));
    }

    [Fact]
    public void Sample_SteadyFault_IsLoggedOnce()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.WriteSys("class/powercap/intel-rapl:2/energy_uj", "rubbish");
        for (int i = 0; i < 8; i++)
        {
            bench.Tick(busy: 0);
        }

        _ = Assert.Single(bench.Logged, entry => entry.Id == 1003);
        Assert.Equal(8, bench.StateOf("psys").Counts.Failures);
    }

    [Fact]
    public void Sample_OneGlitch_SwitchesNothing()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.WriteSys("class/powercap/intel-rapl:0/energy_uj", "rubbish");
        bench.Tick();
        bench.Tick();
        Assert.Contains("package-0", bench.Selected);
        bench.Tick();
        Assert.DoesNotContain("package-0", bench.Selected);
    }

    [Fact]
    public void Sample_TickOfTheSwitch_KeepsTheMetersItsSamplesReferTo()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Tick();
        bench.Tree.RemoveSys("class/powercap/intel-rapl:0");
        bench.Tick();
        Assert.True(bench.Observation.Meters.Single(meter => meter.Id == "package-0").Selected);
        Assert.False(bench.MeterOf("package-0").Selected);
        bench.Tick();
        Assert.False(bench.Observation.Meters.Single(meter => meter.Id == "package-0").Selected);
    }

    [Fact]
    public void Sample_WarmedUp_AllocatesNothing()
    {
        using Bench bench = Bench.Over("two-sockets");
        for (int i = 0; i < 5; i++)
        {
            bench.Tick(seconds: 0.1, busy: 0);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            bench.Tick(seconds: 0.1, busy: 0);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Start_EnergyBeforeTheFirstTick_BelongsToNoTick()
    {
        using Bench bench = Bench.OverCopy("two-sockets");
        bench.Time.Advance(1);
        bench.Tree.WriteSys("class/powercap/intel-rapl:0/energy_uj", "104858600000");
        bench.Set.Start();
        bench.Tree.WriteSys("class/powercap/intel-rapl:0/energy_uj", "104858600042");
        bench.Tick();
        Assert.Equal(42, bench.SampleOf("package-0")!.Value.Microjoules);
        Assert.Null(bench.StateOf("platform").Problem);
    }

    [Fact]
    public void Poll_SourceOfAnotherSet_Throws()
    {
        using Bench one = Bench.Over("amd");
        using Bench other = Bench.Over("amd");
        Assert.Throws<ArgumentException>(() => one.Set.Poll(other.Source("hwmon")));
    }

    [Fact]
    public void Discover_ThisMachineAfterATick_GivesEnergy()
    {
        using MeterSet set = MeterSet.Discover(new PowerOptions(), TimeProvider.System);
        Observation observation = new() { Topology = set.Topology };
        observation.Begin(1, 0);
        observation.EndNanoseconds = 1_000_000_000;
        observation.Cpus.Add().Cpu = set.Topology.Cpus[0].Cpu;
        set.Sample(observation);
        Assert.True(observation.MeterSamples.Count > 0);
    }

    [Fact]
    public void Validate_EverythingWrong_SaysEverything()
    {
        PowerOptions options = new() { SysRoot = "/no/such", ProcRoot = "/no/such", MaxPackageWatts = 0, MaxPlatformWatts = 0 };
        Assert.Equal(4, PowerOptions.Validator.Validate(options).Count);
        Assert.Empty(PowerOptions.Validator.Validate(new PowerOptions()));
    }

    [Fact]
    public void Change_TheFixtureItself_IsRefused() =>
        Assert.Throws<InvalidOperationException>(() => Fixtures.Host("amd").WriteSys("x", "y"));
}
