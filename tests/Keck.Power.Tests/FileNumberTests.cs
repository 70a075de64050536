using System.Text;

namespace Keck.Power.Tests;

public sealed class FileNumberTests
{
    [Theory]
    [InlineData("0\n", 0)]
    [InlineData("262143328850\n", 262143328850)]
    [InlineData(" 42", 42)]
    [InlineData("9223372036854775806", 9223372036854775806)]
    public void Parse_WholeNumber_IsRead(string text, long value) => Assert.Equal(new(value, FileFault.None), FileNumber.Parse(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("", (int)FileFault.Empty)]
    [InlineData("\n", (int)FileFault.Empty)]
    [InlineData("12a4\n", (int)FileFault.NotANumber)]
    [InlineData("1.5", (int)FileFault.NotANumber)]
    [InlineData("-", (int)FileFault.NotANumber)]
    [InlineData("99999999999999999999999999", (int)FileFault.NotANumber)]
    [InlineData("-1", (int)FileFault.Sentinel)]
    [InlineData("4294967295", (int)FileFault.Sentinel)]
    [InlineData("9223372036854775807", (int)FileFault.Sentinel)]
    [InlineData("18446744073709551615", (int)FileFault.Sentinel)]
    public void Parse_AnythingElse_SaysWhatItIs(string text, int fault) =>
        Assert.Equal((FileFault)fault, FileNumber.Parse(Encoding.UTF8.GetBytes(text)).Fault);

    [Fact]
    public void Parse_AnyBytes_NeverThrows()
    {
        Random random = new(7);
        byte[] bytes = new byte[24];
        for (int i = 0; i < 100_000; i++)
        {
            int length = random.Next(bytes.Length);
            random.NextBytes(bytes.AsSpan(0, length));
            FileNumber number = FileNumber.Parse(bytes.AsSpan(0, length));
            Assert.True(number.Fault != FileFault.None || number.Value >= 0);
        }
    }
}
