using Keck.Metering;

namespace Keck.Agent.Tests;

public sealed class ReadSkewsTests
{
    private readonly Observation _observation = new()
    {
        Topology = new Topology([new CpuPlace(0, 0, 0, 0)], null),
        Meters =
        [
            new Meter { Id = "package-0", Domain = EnergyDomain.Package, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true },
            new Meter { Id = "dram-0", Domain = EnergyDomain.Dram, Origin = EnergyOrigin.Rapl, Quality = ReadingQuality.Measured, Selected = true },
        ],
    };

    private readonly Attributor _attributor = new();
    private readonly ReadSkews _skews = new();

    [Fact]
    public void Seconds_LargestOfTenSeconds_IsToldAtOnceAndForgottenAfterwards()
    {
        Assert.Null(_skews.Seconds("package-0"));
        Tick(40_000);
        Assert.Equal(0.000_04, _skews.Seconds("package-0"));
        Tick(-700_000);
        Tick(50_000);
        Assert.Equal(0.000_7, _skews.Seconds("package-0"));
        for (int second = 0; second < 21; second++)
        {
            Tick(30_000);
        }

        Assert.Equal(0.000_03, _skews.Seconds("package-0"));
        Assert.Null(_skews.Seconds("dram-0"));
        Assert.Null(_skews.Seconds("other"));
    }

    private void Tick(long skew)
    {
        _observation.Begin(_observation.Tick + 1, _observation.EndNanoseconds);
        _observation.EndNanoseconds = _observation.StartNanoseconds + 1_000_000_000;
        _observation.MeterSamples.Add() = new MeterSample { Meter = 0, Microjoules = 5, Milliwatts = Unobserved.Value, ReadNanoseconds = _observation.EndNanoseconds - skew };
        _skews.OnTick(_observation, _attributor.Attribute(_observation));
    }
}
