using Keck.Tests;

namespace Keck.Agent.Tests;

public sealed class HostStatTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("keck-stat-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Read_TwoSockets_IsWhatTheFileSays()
    {
        using var stat = new HostStat(Fixtures.Host("two-sockets").Proc);
        Assert.Null(stat.Counters);
        stat.Read();
        Assert.Equal(new HostCounters(48_211, 183_456_789, 3, 0), stat.Counters);
    }

    [Fact]
    public void Read_Twice_BusyIsWhatIsNeitherIdleNorWaitingNorStolen()
    {
        Write("cpu  100 10 50 1000 40 5 5 20 60 0\nctxt 1\n");
        using var stat = new HostStat(_root);
        stat.Read();
        Assert.Null(stat.Counters!.CpuUsageRatio);

        // Busy 10 + 2 + 5 + 1 + 2 = 20 of 100 ticks.
        Write("cpu  110 12 55 1050 50 6 7 40 66 0\nctxt 1\n");
        stat.Read();
        Assert.Equal(0.2, stat.Counters!.CpuUsageRatio);

        // Nothing passed, or it ran backwards: unknown.
        stat.Read();
        Assert.Null(stat.Counters!.CpuUsageRatio);
        Write("cpu  1 1 1 1 1 1 1 1 1 1\nctxt 1\n");
        stat.Read();
        Assert.Null(stat.Counters!.CpuUsageRatio);
    }

    [Fact]
    public void Read_IdleRanBackwards_IsBusyAtMostWholly()
    {
        Write("cpu  100 0 0 1000 50 0 0 0 0 0\n");
        using var stat = new HostStat(_root);
        stat.Read();
        Write("cpu  200 0 0 1000 10 0 0 0 0 0\n");
        stat.Read();
        Assert.Equal(1, stat.Counters!.CpuUsageRatio);
    }

    [Theory]
    [InlineData(4_000)]
    [InlineData(4_090)]
    [InlineData(4_096)]
    [InlineData(100_000)]
    public void Read_LongLineBetween_IsPassedOver(int length)
    {
        // The long line ends in what looks like one of ours, and is none.
        Write($"cpu  1 2 3 4 5 6 7 8 9 10\nintr {new string('0', length)} ctxt 7\nctxt 99\nprocesses 12\nprocs_running 1\nprocs_blocked 2\n");
        using var stat = new HostStat(_root);
        stat.Read();
        Assert.Equal(new HostCounters(12, 99, 1, 2), stat.Counters);
    }

    [Theory]
    [InlineData("")]
    [InlineData("cpu garbage\ncpu0 1 2\n")]
    [InlineData("cpu  1 2 3\nctxt -5\nprocesses many\n")]
    public void Read_Garbage_IsUnknown(string text)
    {
        Write(text);
        using var stat = new HostStat(_root);
        stat.Read();
        Assert.Null(stat.Counters);
    }

    [Fact]
    public void Read_NoFile_IsUnknown()
    {
        using var stat = new HostStat(_root);
        stat.Read();
        Assert.Null(stat.Counters);
    }

    // In place: the descriptor is kept.
    private void Write(string text) => File.WriteAllText(Path.Combine(_root, "stat"), text);
}
