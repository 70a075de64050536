using Keck.Metering;

namespace Keck.Power.Tests;

public sealed class IdlePriorsTests
{
    private static readonly CpuIdentity CascadeLake =
        new() { Vendor = "GenuineIntel", Family = 6, Model = 85, Stepping = 7, Name = "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz" };

    [Fact]
    public void For_KnownGeneration_IsItsOwnRatioWithBoundsForWhatAServerIsNot()
    {
        IdlePrior prior = IdlePriors.For(CascadeLake)!;

        // 0.58 of 4.03 W a thread. Down: idle 0.42, full 4.47, and half for a package; up: idle 1.15, full 2.97, and a third for real servers; each as if by itself.
        Assert.Equal(0.144, prior.IdleToFull);
        Assert.Equal(0.144 / Math.Exp(Math.Sqrt(Square(0.58 / 0.42) + Square(4.47 / 4.03) + Square(2))), prior.Least, 0.001);
        Assert.Equal(0.144 * Math.Exp(Math.Sqrt(Square(1.15 / 0.58) + Square(4.03 / 2.97) + Square(4.0 / 3))), prior.Most, 0.001);
        Assert.Contains("Cascade Lake", prior.Source, StringComparison.Ordinal);
        Assert.Contains("72 results", prior.Source, StringComparison.Ordinal);

        static double Square(double ratio) => Math.Log(ratio) * Math.Log(ratio);
    }

    [Fact]
    public void For_EveryGeneration_IsInOrderAndWide()
    {
        foreach (EstimateRow row in EstimateTable.Load())
        {
            (int family, int model, int stepping, _) = row.Cpus[0];
            IdlePrior prior = IdlePriors.For(new CpuIdentity { Vendor = row.Vendor, Family = family, Model = model, Stepping = stepping, Name = "Xeon or EPYC" })!;
            Assert.StartsWith(row.Generation, prior.Source, StringComparison.Ordinal);
            Assert.InRange(prior.IdleToFull, 0.1, 0.5);
            Assert.True(prior.Least <= prior.IdleToFull / 2 && prior.Most >= prior.IdleToFull * 4 / 3 && prior.Most <= IdlePriors.MostRatio, row.Generation);
        }
    }

    [Fact]
    public void For_NoGenerationThatIsKnown_IsNone()
    {
        Assert.Null(IdlePriors.For(CascadeLake with { Name = "Intel(R) Core(TM) i9-7980XE CPU @ 2.60GHz" }));
        Assert.Null(IdlePriors.For(CascadeLake with { Model = 143 }));
        Assert.Null(IdlePriors.For(CascadeLake with { Hypervisor = true, Name = "Intel Xeon Processor (Cascadelake)" }));
        Assert.Null(IdlePriors.For(new CpuIdentity()));
        Assert.Null(IdlePriors.For(new TraceCpu(null, null, null, null, null, null)));
        Assert.Null(IdlePriors.For(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())));
    }

    [Fact]
    public void For_ATracesHeader_IsTheMachinesOwn() =>
        Assert.Equal(
            IdlePriors.For(CascadeLake), IdlePriors.For(new TraceCpu(CascadeLake.Vendor, CascadeLake.Family, CascadeLake.Model, CascadeLake.Stepping, "0x1", CascadeLake.Name)));
}
