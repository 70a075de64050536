using System.Text;

namespace Keck.Workloads.Tests;

public sealed class ProcessStatTests
{
    private const string Tail = " S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 3 0 4711 4096000 321 18446744073709551615";

    [Theory]
    [InlineData("cat")]
    [InlineData("a b")]
    [InlineData("(sd-pam)")]
    [InlineData("x) R 1 (y")]
    [InlineData("two\nlines")]
    [InlineData("")]
    public void TryParse_AnyComm_ReadsTheFieldsAfterIt(string comm)
    {
        Assert.True(ProcessStat.TryParse(Encoding.UTF8.GetBytes($"42 ({comm}){Tail}\n"), out ProcessStat stat));
        Assert.Equal(comm, stat.NameText);
        Assert.Equal('S', stat.State);
        Assert.Equal(3, stat.Threads);
        Assert.Equal(4711, stat.StartTicks);
        Assert.Equal(321, stat.ResidentPages);
        Assert.False(stat.Kernel);
    }

    [Theory]
    [InlineData("")]
    [InlineData("42 (cat")]
    [InlineData("42 cat) S 1")]
    [InlineData("42 (cat) S 1 1 1")]
    [InlineData("42 (cat) S 1 1 1 0 -1 x 0 0 0 0 0 0 0 0 20 0 3 0 4711 4096000 321")]
    [InlineData("42 (cat) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 18446744073709551615 4096000 321")]
    [InlineData("42 (cat) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 3 0 9223372036854775807 4096000 321")]
    public void TryParse_Garbage_IsRefused(string line) =>
        Assert.False(ProcessStat.TryParse(Encoding.UTF8.GetBytes(line), out _));

    [Fact]
    public void TryParse_EveryCutOfALine_IsRefusedOrWhole()
    {
        byte[] line = Encoding.UTF8.GetBytes($"42 (cat){Tail}\n");
        for (int cut = 0; cut < line.Length; cut++)
        {
            if (ProcessStat.TryParse(line.AsSpan(0, cut), out ProcessStat stat))
            {
                Assert.Equal(4711, stat.StartTicks);
            }
        }
    }
}
