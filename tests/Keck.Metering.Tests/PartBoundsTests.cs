namespace Keck.Metering.Tests;

/// <summary>Bounds of parts, and of what is shared out in proportion.</summary>
public sealed class PartBoundsTests
{
    [Fact]
    public void Part_OfAnyShares_AddUpInQuadratureToTheWhole()
    {
        BoundSample whole = new() { SystematicBelow = 300, SystematicAbove = 500, RandomSquare = 10_000 };
        BoundSample[] parts = [whole.Part(1_000, 10_000), whole.Part(2_500, 10_000), whole.Part(6_500, 10_000)];
        Assert.Equal(300, Math.Sqrt(parts.Sum(part => part.SystematicBelow * part.SystematicBelow)), 1e-9);
        Assert.Equal(500, Math.Sqrt(parts.Sum(part => part.SystematicAbove * part.SystematicAbove)), 1e-9);
        Assert.Equal(10_000, parts.Sum(part => part.RandomSquare), 1e-9);

        // Never narrower, relative, than the whole.
        Assert.All(parts.Zip([1_000, 2_500, 6_500]), part => Assert.True(part.First.SystematicBelow / part.Second >= 300.0 / 10_000));
    }

    [Fact]
    public void Part_OfADoubtThatAllHaveAlike_IsInProportion()
    {
        BoundSample whole = new() { SystematicBelow = 300, SystematicAbove = 500 }, common = new() { SystematicBelow = 200, SystematicAbove = 900 };
        BoundSample part = whole.Part(2_500, 10_000, common);
        Assert.Equal((50 + 50, 125), (part.SystematicBelow, part.SystematicAbove));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 0)]
    [InlineData(20_000, 10_000)]
    public void Part_OfNothingOrMoreThanAll_IsInAllTheDoubt(long part, long whole) =>
        Assert.Equal(300, new BoundSample { SystematicBelow = 300 }.Part(part, whole).SystematicBelow);

    [Fact]
    public void Along_ProportionalAmount_IsOffByTheSameRatio()
    {
        BoundSample along = new BoundSample { SystematicBelow = 300, RandomSquare = 100 }.Along(5_000, 10_000);
        Assert.Equal((150, 25), (along.SystematicBelow, along.RandomSquare));
        Assert.Equal(0, new BoundSample { SystematicBelow = 300 }.Along(7, 0).SystematicBelow);
    }
}
