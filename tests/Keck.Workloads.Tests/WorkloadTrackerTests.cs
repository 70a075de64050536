using System.Globalization;
using Keck.Metering;
using Keck.Workloads.Interop;

namespace Keck.Workloads.Tests;

public sealed class WorkloadTrackerTests : IDisposable
{
    private const string Container = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
    private const string PodUid = "6f1c2d3e-4b5a-6978-8796-a5b4c3d2e1f0";
    private const string PodPath = "/kubepods/burstable/pod" + PodUid + "/" + Container;

    private readonly FakeHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Resolve_NewThread_GetsAProcessDescribedFromProcfs()
    {
        _host.WriteProcess(100, "nginx", 500, $"0::{PodPath}\n");
        int thread = _host.AddThread(101, 100, 5_001_234_567, "worker");
        _host.Resolve();

        ProcessRow process = _host.ProcessOf(thread);
        Assert.Equal("nginx", process.Name);
        Assert.Equal(PodPath, process.Cgroup);
        Assert.Equal(Container, process.Container);
        Assert.Equal(PodUid, process.PodUid);
        Assert.Equal(5_001_234_567, process.StartNanoseconds);
        Assert.Equal(1, process.LiveThreads);
        Assert.True(process.Described);
        Assert.True(process.Changed);
        Assert.Empty(_host.Logger.Messages);
    }

    [Fact]
    public void Resolve_TwoThreadsOfOneProcess_ShareARow()
    {
        _host.WriteProcess(100, "java", 500, threads: 2);
        int first = _host.AddThread(100, 100, 5_001_234_567);
        int second = _host.AddThread(101, 100, 5_001_234_567);
        _host.Resolve();

        Assert.Equal(_host.Observation.ThreadTable[first].Process, _host.Observation.ThreadTable[second].Process);
        Assert.Equal(2, _host.ProcessOf(first).LiveThreads);
        Assert.Equal(1, _host.Processes.Count);
    }

    [Fact]
    public void Resolve_PidReusedWithinOneTickOfProcfs_NeverMergesTwoExactStarts()
    {
        int first = _host.AddThread(100, 100, 5_001_000_000, "old");
        int second = _host.AddThread(100, 100, 5_002_000_000, "new");
        _host.Observation.ThreadTable.End(first);
        _host.Tracker.Resolve(_host.Observation);

        Assert.NotEqual(_host.Observation.ThreadTable[first].Process, _host.Observation.ThreadTable[second].Process);
        Assert.True(_host.ProcessOf(first).Ended);
        Assert.False(_host.ProcessOf(second).Ended);
    }

    [Fact]
    public void Resolve_PidReusedAfterAScan_EndsTheOldProcess()
    {
        _host.WriteProcess(100, "old", 500);
        _host.Scanner.Scan();
        _host.Resolve();
        int old = _host.Processes.FindNewest(100);

        _host.WriteProcess(100, "new", 900);
        int thread = _host.AddThread(100, 100, 9_004_000_000, "new");
        _host.Resolve();

        Assert.NotEqual(old, _host.Observation.ThreadTable[thread].Process);
        Assert.True(_host.Processes[old].Ended);
        Assert.Equal("old", _host.Processes[old].Name);
        Assert.Equal("new", _host.ProcessOf(thread).Name);
    }

    [Fact]
    public void Resolve_SleeperFirstSeenByProcfs_IsTheSameOnceItRuns()
    {
        _host.WriteProcess(100, "sleeper", 500);
        _host.Scanner.Scan();
        _host.Resolve();
        int scanned = _host.Processes.FindNewest(100);

        int thread = _host.AddThread(100, 100, 5_003_456_789, "sleeper");
        int sibling = _host.AddThread(105, 100, 5_003_456_789, "helper");
        _host.Resolve();

        Assert.Equal(scanned, _host.Observation.ThreadTable[thread].Process);
        Assert.Equal(scanned, _host.Observation.ThreadTable[sibling].Process);
        Assert.Equal(1, _host.Processes.Count);

        // A second exact start within the same 10 ms is another process.
        int other = _host.AddThread(100, 100, 5_003_999_999, "other");
        _host.Resolve();
        Assert.NotEqual(scanned, _host.Observation.ThreadTable[other].Process);
    }

    [Fact]
    public void Resolve_SourceWithoutStartTimes_TakesItFromProcfs()
    {
        _host.WriteProcess(100, "a", 500);
        int thread = _host.AddThread(100, 100, processStart: 0, start: 0);
        _host.Resolve();

        Assert.Equal(5_000_000_000, _host.ProcessOf(thread).StartNanoseconds);
    }

    [Fact]
    public void Resolve_DeadBeforeProcfsWasRead_IsPlacedByItsCgroupId()
    {
        ulong id = new FileText(64).Inode(_host.MakeCgroup(PodPath));
        int thread = _host.AddThread(101, 100, 5_001_000_000, "short", id);
        _host.Observation.ThreadTable.End(thread);
        _host.Tracker.Resolve(_host.Observation);
        int row = _host.Observation.ThreadTable[thread].Process;
        Assert.False(_host.Processes[row].Described);
        Assert.True(_host.Processes[row].Ended);

        _host.Scanner.Answer();
        _host.Observation.Begin(1, 0);
        _host.Resolve();

        Assert.Equal(PodPath, _host.Processes[row].Cgroup);
        Assert.Equal(Container, _host.Processes[row].Container);
        Assert.Equal("short", _host.Processes[row].Name);
        Assert.True(_host.Processes[row].Described);
    }

    [Fact]
    public void Resolve_CgroupRemovedBeforeTheProcessIsSeen_IsStillPlacedAfterAnEarlierWalk()
    {
        string directory = _host.MakeCgroup(PodPath);
        ulong id = new FileText(64).Inode(directory);
        _host.Scanner.Answer();
        Directory.Delete(directory);
        _host.Tracker.Cgroups.Request();
        _host.Time.Advance(TimeSpan.FromSeconds(2));
        _host.Scanner.Answer();

        int thread = _host.AddThread(100, 100, 5_001_000_000, "short", id);
        _host.Resolve();

        Assert.Equal(2, _host.Tracker.Cgroups.Completed);
        Assert.Equal(PodPath, _host.ProcessOf(thread).Cgroup);
    }

    [Fact]
    public void Resolve_UnknownCgroupIdOfADeadProcess_IsGivenUpAfterOneWalk()
    {
        int thread = _host.AddThread(100, 100, 5_001_000_000, "short", cgroupId: 123_456_789);
        _host.Resolve();
        Assert.Equal(1, _host.Tracker.UndescribedCount);

        _host.Scanner.Answer();
        _host.Resolve();

        Assert.Equal(0, _host.Tracker.UndescribedCount);
        Assert.Null(_host.ProcessOf(thread).Cgroup);
        Assert.True(_host.ProcessOf(thread).Described);
    }

    [Fact]
    public void Resolve_LastThreadEnds_EndsTheProcess()
    {
        _host.WriteProcess(100, "a", 500);
        int thread = _host.AddThread(100, 100, 5_001_000_000);
        _host.Resolve();
        int row = _host.Observation.ThreadTable[thread].Process;

        _host.RemoveProcess(100);
        _host.Observation.ThreadTable.End(thread);
        _host.Resolve();

        Assert.Equal(0, _host.Processes[row].LiveThreads);
        Assert.True(_host.Processes[row].Ended);
    }

    [Theory]
    [InlineData('S', 2, false)] // other threads sleep, unknown to the run source
    [InlineData('Z', 2, false)] // the leader is dead, others are not
    [InlineData('Z', 1, true)] // waits only for its parent
    public void Resolve_OnlyKnownThreadEnds_AsksProcfsWhetherTheProcessLives(char state, int threads, bool ended)
    {
        _host.WriteProcess(100, "a", 500, state: state, threads: threads);
        int thread = _host.AddThread(101, 100, 5_001_000_000);
        _host.Resolve();
        int row = _host.Observation.ThreadTable[thread].Process;

        _host.Observation.ThreadTable.End(thread);
        _host.Resolve();

        Assert.Equal(ended, _host.Processes[row].Ended);
    }

    [Fact]
    public void Resolve_KernelThread_IsAKernelProcess()
    {
        int thread = _host.AddThread(12, 12, 20_000_000, "ksoftirqd/0", kernel: true);
        _host.Resolve();

        Assert.True(_host.ProcessOf(thread).Kernel);
        Assert.True(_host.ProcessOf(thread).Described);
        Assert.Equal("ksoftirqd/0", _host.ProcessOf(thread).Name);
    }

    [Fact]
    public void Resolve_GarbageInProcfs_SaysSoOnceAndGoesOn()
    {
        for (int pid = 100; pid < 110; pid++)
        {
            _host.Write($"proc/{pid}/stat", "no stat at all");
            _host.Write($"proc/{pid}/cgroup", "\0\u0001garbage\n\n::\n:");
            _ = _host.AddThread(pid, pid, 5_001_000_000 + pid, "thread");
        }

        _host.WriteProcess(200, "good", 500);
        int good = _host.AddThread(200, 200, 5_001_000_000);
        _host.Resolve();

        Assert.Equal("good", _host.ProcessOf(good).Name);
        Assert.Equal(11, _host.Processes.Count);
        Assert.Equal(2, _host.Logger.Messages.Count); // one for stat, one for cgroup
        Assert.All(_host.Logger.Messages, message => Assert.Contains("malformed", message.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void Resolve_MoreNewProcessesThanTheTickMayRead_DescribesTheRestLater()
    {
        using var host = new FakeHost(options => options with { DescribePerTick = 2 });
        for (int pid = 100; pid < 105; pid++)
        {
            host.WriteProcess(pid, "a", 500);
            _ = host.AddThread(pid, pid, 5_001_000_000);
        }

        host.Resolve();
        Assert.Equal(3, host.Tracker.UndescribedCount);
        host.Resolve();
        Assert.Equal(1, host.Tracker.UndescribedCount);
        host.Resolve();
        Assert.Equal(0, host.Tracker.UndescribedCount);
    }

    [Fact]
    public void Resolve_RowReleasedAndTakenByAnother_IsNotMistaken()
    {
        int thread = _host.AddThread(100, 100, 5_001_000_000, "gone", cgroupId: 77);
        _host.Observation.ThreadTable.End(thread);
        _host.Resolve();
        int row = _host.Processes.FindNewest(100);
        _host.Tracker.Forget(row);
        _host.Processes.Release(row);

        _host.WriteProcess(200, "next", 600);
        int next = _host.AddThread(200, 200, 6_001_000_000);
        _host.Resolve();

        Assert.Equal(row, _host.Observation.ThreadTable[next].Process);
        Assert.Equal("/system.slice/a.service", _host.ProcessOf(next).Cgroup);
        Assert.Equal(0, _host.Tracker.UndescribedCount);
    }

    [Fact]
    public void Resolve_NothingNew_AllocatesNothing()
    {
        for (int pid = 100; pid < 1100; pid++)
        {
            _host.WriteProcess(pid, "a", 500);
            _ = _host.AddThread(pid, pid, 5_001_000_000);
        }

        _host.Scanner.Scan();
        for (int i = 0; i < 50; i++)
        {
            _host.Resolve();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            _host.Resolve();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1000, _host.Processes.Count);
    }

    [Fact]
    public void Constructor_BadOptions_NamesAllOfThem()
    {
        var options = new WorkloadOptions { ProcRoot = "proc", ScanInterval = TimeSpan.Zero, RefreshVisits = 0 };
        ArgumentException e = Assert.Throws<ArgumentException>(() => new WorkloadTracker(options, _host.Time, _host.Logger));
        Assert.Contains("ProcRoot", e.Message, StringComparison.Ordinal);
        Assert.Contains("ScanInterval", e.Message, StringComparison.Ordinal);
        Assert.Contains("RefreshVisits", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_ThisProcess_IsFoundWithItsCgroup()
    {
        int pid = Environment.ProcessId;
        var options = new WorkloadOptions();
        var tracker = new WorkloadTracker(options, TimeProvider.System, _host.Logger);
        var scanner = new ProcessScanner(tracker, TimeProvider.System, _host.Logger);
        scanner.Scan();
        var observation = new Observation();
        int thread = observation.ThreadTable.Add(new ThreadRow { Tid = pid, Pid = pid, Name = "x" });
        tracker.Resolve(observation);

        ProcessRow process = observation.ProcessTable[observation.ThreadTable[thread].Process];
        Assert.Equal(File.ReadAllText("/proc/self/comm").Trim(), process.Name);
        string paths = File.ReadAllText("/proc/self/cgroup");
        Assert.Contains($":{process.Cgroup}\n", paths, StringComparison.Ordinal);
        string start = File.ReadAllText("/proc/self/stat").Split(") ")[^1].Split(' ')[19];
        Assert.Equal(long.Parse(start, CultureInfo.InvariantCulture) * 10_000_000, process.StartNanoseconds);
        Assert.True(observation.ProcessTable.Count > 1, "the scanner found the machine's other processes");
    }

    [Fact]
    public void Resolve_RealCgroupMadeByTheTest_IsFoundByItsInode()
    {
        string? root = CgroupMount.Find(new WorkloadOptions()).Root;
        Assert.SkipUnless(root is not null && Environment.IsPrivilegedProcess, "needs a cgroup2 mount and root");
        string name = $"keck-test-{Environment.ProcessId}";
        string directory = Path.Combine(root, name);
        _ = Directory.CreateDirectory(directory);
        try
        {
            var tracker = new WorkloadTracker(new WorkloadOptions(), TimeProvider.System, _host.Logger);
            new ProcessScanner(tracker, TimeProvider.System, _host.Logger).Answer();
            var observation = new Observation();
            // A pid beyond the kernel's limit: dead for sure, only its cgroup's id is left.
            int thread = observation.ThreadTable.Add(new ThreadRow
            {
                Tid = 5_000_000,
                Pid = 5_000_000,
                Name = "short",
                ProcessStartNanoseconds = 1_234_567,
                CgroupId = new FileText(64).Inode(directory),
            });
            tracker.Resolve(observation);
            Assert.Equal("/" + name, observation.ProcessTable[observation.ThreadTable[thread].Process].Cgroup);
        }
        finally
        {
            Directory.Delete(directory);
        }
    }
}
