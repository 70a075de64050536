using Keck.Metering;
using Keck.Tests;

namespace Keck.Workloads.Tests;

public sealed class FixtureTests
{
    private const string Container = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
    private const string PodUid = "6f1c2d3e-4b5a-6978-8796-a5b4c3d2e1f0";

    [Theory]
    [InlineData("v2", PodUid)]
    [InlineData("v1", PodUid)]
    [InlineData("hybrid", null)]
    public void Scan_EachCgroupVersion_FindsTheContainer(string name, string? pod)
    {
        (ProcessTable processes, FakeLogger logger) = Scan(name);
        ProcessRow nginx = processes[processes.Find(812, 700_000_000_000)];
        Assert.Equal("nginx", nginx.Name);
        Assert.Equal(Container, nginx.Container);
        Assert.Equal(pod, nginx.PodUid);
        Assert.Equal(4096, nginx.PssKibibytes);
        Assert.Null(processes[processes.FindNewest(1)].Container);
        Assert.Equal(-1, processes.FindNewest(2));
        Assert.Empty(logger.Messages);
    }

    [Fact]
    public void Scan_BrokenTree_KeepsWhatIsWholeAndSaysEachKindOnce()
    {
        (ProcessTable processes, FakeLogger logger) = Scan("broken");
        int[] pids = [.. processes.Rows.ToArray().Select(row => row.Pid).Order()];
        Assert.Equal([1, 24, 25, 27], pids);
        Assert.Equal(9000, processes[processes.FindNewest(1)].PssKibibytes);
        Assert.Equal(Unobserved.Value, processes[processes.FindNewest(24)].PssKibibytes);
        Assert.Null(processes[processes.FindNewest(24)].Cgroup);
        Assert.Equal(77, processes[processes.FindNewest(25)].PssKibibytes);
        Assert.Equal(3, logger.Messages.Count); // stat, cgroup, PSS
    }

    private static (ProcessTable Processes, FakeLogger Logger) Scan(string name)
    {
        string root = Repository.PathOf("tests", "fixtures", "workloads", name);
        var logger = new FakeLogger();
        var time = new FakeTime();
        var options = new WorkloadOptions { ProcRoot = Path.Combine(root, "proc"), SysRoot = Path.Combine(root, "sys"), RootFs = Path.Combine(root, "rootfs") };
        var tracker = new WorkloadTracker(options, time, logger);
        var scanner = new ProcessScanner(tracker, time, logger);
        var observation = new Observation();
        scanner.Scan();
        tracker.Resolve(observation);
        scanner.Scan();
        tracker.Resolve(observation);
        return (observation.ProcessTable, logger);
    }
}
