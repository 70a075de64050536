using Microsoft.Extensions.Logging.Abstractions;

namespace Keck.Guest.Tests;

public sealed class PowercapTreeTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("keck-powercap-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Write_Energy_IsThereAsTheKernelShowsIt()
    {
        PowercapTree tree = PowercapTree.Create(_root, NullLogger.Instance)!;
        tree.Write(123_456_789, 42);

        Assert.Equal("package-0\n", Read("intel-rapl:0/name"));
        Assert.Equal("dram\n", Read("intel-rapl:0:0/name"));
        Assert.Equal("123456789\n", Read("intel-rapl:0/energy_uj"));
        Assert.Equal("42\n", Read("intel-rapl:0:0/energy_uj"));
        Assert.Equal("9007199254740991\n", Read("intel-rapl:0/max_energy_range_uj"));
        Assert.DoesNotContain(Directory.EnumerateFiles(_root, "*.new", SearchOption.AllDirectories), _ => true);
    }

    [Fact]
    public async Task Write_ReadMeanwhile_IsNeverHalfANumber()
    {
        PowercapTree tree = PowercapTree.Create(_root, NullLogger.Instance)!;
        tree.Write(1_000_000_000, 1_000_000_000);
        using CancellationTokenSource stop = new();
        Task writer = Task.Run(
            () =>
            {
                for (long i = 0; i < 3_000; i++)
                {
                    tree.Write(1_000_000_000 + i, 1_000_000_000 + i);
                }

                stop.Cancel();
            },
            TestContext.Current.CancellationToken);
        long last = 0;
        while (!stop.IsCancellationRequested)
        {
            long value = long.Parse(Read("intel-rapl:0/energy_uj"), System.Globalization.CultureInfo.InvariantCulture);
            Assert.InRange(value, Math.Max(1_000_000_000, last), 1_000_003_000);
            last = value;
        }

        await writer;
    }

    [Fact]
    public void Write_LessThanAnEarlierRunShowed_NeverGoesBack()
    {
        PowercapTree.Create(_root, NullLogger.Instance)!.Write(5_000_000, 700);

        PowercapTree next = PowercapTree.Create(_root, NullLogger.Instance)!;
        Assert.Equal((5_000_000, 700), next.Shown);
        next.Write(4_000_000, 800);
        Assert.Equal("5000000\n", Read("intel-rapl:0/energy_uj"));
        Assert.Equal("800\n", Read("intel-rapl:0:0/energy_uj"));
        next.Write(5_000_001, 801);
        Assert.Equal("5000001\n", Read("intel-rapl:0/energy_uj"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("soon\n")]
    [InlineData("-4\n")]
    [InlineData("9223372036854775807\n")]
    [InlineData("123456789012345678901234567890\n")]
    public void Create_OverAnythingElse_BeginsAtZero(string content)
    {
        string zone = Directory.CreateDirectory(Path.Combine(_root, "class", "powercap", "intel-rapl:0")).FullName;
        File.WriteAllText(Path.Combine(zone, "energy_uj"), content);
        Assert.Equal((0, 0), PowercapTree.Create(_root, NullLogger.Instance)!.Shown);
    }

    [Fact]
    public void Create_NotADirectory_IsNullAndSaid()
    {
        string file = Path.Combine(_root, "file");
        File.WriteAllText(file, "");
        Assert.Null(PowercapTree.Create(file, NullLogger.Instance));
    }

    private string Read(string path) => File.ReadAllText(Path.Combine(_root, "class", "powercap", path));
}
