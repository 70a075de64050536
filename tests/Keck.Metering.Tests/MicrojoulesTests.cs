namespace Keck.Metering.Tests;

public sealed class MicrojoulesTests
{
    [Fact]
    public void Addition_Overflow_Throws() =>
        Assert.Throws<OverflowException>(() => new Microjoules(long.MaxValue) + new Microjoules(1));
}
