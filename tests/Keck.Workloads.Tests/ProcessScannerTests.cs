using Keck.Metering;

namespace Keck.Workloads.Tests;

public sealed class ProcessScannerTests : IDisposable
{
    private readonly FakeHost _host = new();

    public void Dispose() => _host.Dispose();

    private void ScanAndResolve()
    {
        _host.Scanner.Scan();
        _host.Resolve();
    }

    [Fact]
    public void Scan_Sleeper_IsKnownWithItsMemory()
    {
        _host.WriteProcess(100, "sleeper", 500, pss: 3000);
        ScanAndResolve();

        ProcessRow process = _host.Newest(100);
        Assert.Equal("sleeper", process.Name);
        Assert.Equal(3000, process.PssKibibytes);
        Assert.Equal("/system.slice/a.service", process.Cgroup);
        Assert.Equal(5_000_000_000, process.StartNanoseconds);
        Assert.False(process.Ended);
    }

    [Fact]
    public void LookAtYoung_ProcessThatRanFirst_IsKnownWithItsMemoryBeforeTheNextScan()
    {
        _host.WriteProcess(100, "young", 500, pss: 3000);
        _ = _host.AddThread(100, 100, 5_000_000_000, "young");
        _ = _host.AddThread(101, 101, 5_000_000_000, "dead");
        _ = _host.AddThread(102, 102, 5_000_000_000, "kernel", kernel: true);
        _host.Resolve();
        Assert.Equal(Unobserved.Value, _host.Newest(100).PssKibibytes);

        _host.Scanner.LookAtYoung();
        _host.Resolve();
        Assert.Equal(3000, _host.Newest(100).PssKibibytes);
        Assert.Equal(Unobserved.Value, _host.Newest(101).PssKibibytes);

        // Once is enough: the rest is the scan's.
        _host.WriteProcess(100, "young", 500, pages: 9000, pss: 9999);
        _host.Scanner.LookAtYoung();
        _host.Resolve();
        Assert.Equal(3000, _host.Newest(100).PssKibibytes);
        Assert.Equal(1, _host.Scanner.PssReads);
    }

    [Fact]
    public void Scan_RssUnchanged_ReadsPssOnlyEveryRefresh()
    {
        _host.WriteProcess(100, "a", 500, pages: 1000, pss: 3000);
        ScanAndResolve();
        _host.WriteProcess(100, "a", 500, pages: 1049, pss: 9999);
        for (int i = 0; i < 11; i++)
        {
            ScanAndResolve();
            Assert.Equal(3000, _host.Newest(100).PssKibibytes);
        }

        Assert.Equal(1, _host.Scanner.PssReads);
        ScanAndResolve();
        Assert.Equal(2, _host.Scanner.PssReads);
        Assert.Equal(9999, _host.Newest(100).PssKibibytes);
    }

    [Fact]
    public void Scan_RssChanged_ReadsPssAtOnceAndMarksTheRow()
    {
        _host.WriteProcess(100, "a", 500, pages: 1000, pss: 3000);
        ScanAndResolve();
        _host.Newest(100).Changed = false;
        ScanAndResolve();
        Assert.False(_host.Newest(100).Changed);

        _host.WriteProcess(100, "a", 500, pages: 1051, pss: 4000);
        ScanAndResolve();
        Assert.Equal(4000, _host.Newest(100).PssKibibytes);
        Assert.True(_host.Newest(100).Changed);
    }

    [Fact]
    public void Scan_ExecAndCgroupMove_AreSeen()
    {
        _host.WriteProcess(100, "bash", 500);
        for (int i = 0; i < 5; i++)
        {
            ScanAndResolve();
        }

        _host.Newest(100).Changed = false;
        _host.WriteProcess(100, "sleep (1)\n) x", 500, "0::/system.slice/b.service\n");
        ScanAndResolve();

        Assert.Equal("sleep (1)\n) x", _host.Newest(100).Name);
        Assert.Equal("/system.slice/b.service", _host.Newest(100).Cgroup);
        Assert.True(_host.Newest(100).Changed);
        Assert.Equal(1, _host.Processes.Count);
    }

    [Fact]
    public void Scan_ProcessGone_EndsIt()
    {
        _host.WriteProcess(100, "a", 500);
        _host.WriteProcess(101, "b", 500);
        ScanAndResolve();
        _host.RemoveProcess(100);
        ScanAndResolve();

        Assert.True(_host.Newest(100).Ended);
        Assert.False(_host.Newest(101).Ended);
    }

    [Fact]
    public void Scan_PidReused_TellsBoth()
    {
        _host.WriteProcess(100, "a", 500);
        ScanAndResolve();
        int old = _host.Processes.FindNewest(100);
        _host.WriteProcess(100, "b", 700, pss: 10);
        ScanAndResolve();

        Assert.True(_host.Processes[old].Ended);
        Assert.Equal("a", _host.Processes[old].Name);
        Assert.Equal("b", _host.Newest(100).Name);
        Assert.Equal(10, _host.Newest(100).PssKibibytes);
    }

    [Fact]
    public void Scan_FactOfAnOlderProcess_DoesNotTouchTheNewOne()
    {
        _host.WriteProcess(100, "old", 500);
        _host.Scanner.Scan();
        int thread = _host.AddThread(100, 100, 9_001_000_000, "new");
        _host.Resolve();

        Assert.Equal("new", _host.ProcessOf(thread).Name);
        Assert.Equal(1, _host.Processes.Count);
    }

    [Fact]
    public void Scan_BudgetUsedUp_GoesOnWhereItStopped()
    {
        for (int pid = 1; pid <= 20; pid++)
        {
            _host.WriteProcess(pid, "a", 500);
        }

        _host.Time.StepPerLook = 20_000_000; // each look at the clock takes 20 ms of the 50 ms
        int scans = 0;
        while (_host.Processes.Count < 20)
        {
            int before = _host.Processes.Count;
            ScanAndResolve();
            Assert.True(_host.Processes.Count > before, "every scan reaches somebody new");
            scans++;
        }

        Assert.InRange(scans, 2, 20);
    }

    [Fact]
    public void Scan_QueueFull_TellsAgain()
    {
        using var host = new FakeHost(options => options with { QueueLength = 16 });
        for (int pid = 1; pid <= 30; pid++)
        {
            host.WriteProcess(pid, "a", 500);
        }

        host.Scanner.Scan();
        Assert.Equal(14, host.Scanner.Dropped);
        host.Resolve();
        Assert.Equal(16, host.Processes.Count);
        host.Scanner.Scan();
        host.Resolve();
        Assert.Equal(30, host.Processes.Count);
    }

    [Fact]
    public void Scan_NoRollup_SumsSmaps()
    {
        _host.WriteProcess(100, "a", 500);
        File.Delete(Path.Combine(_host.Proc, "100/smaps_rollup"));
        _host.Write("proc/100/smaps", "00400000-00401000 r-xp\nPss:   4 kB\nPss_Dirty:  9 kB\n00500000-00501000 rw-p\nPss:   38 kB\n");
        ScanAndResolve();
        Assert.Equal(42, _host.Newest(100).PssKibibytes);
    }

    [Theory]
    [InlineData("Pss: twelve kB\n")]
    [InlineData("Pss: -5 kB\n")]
    [InlineData("Rss: 5 kB\n")]
    public void Scan_GarbageInRollup_IsAbsentAndSaidOnce(string content)
    {
        for (int pid = 100; pid < 105; pid++)
        {
            _host.WriteProcess(pid, "a", 500);
            _host.Write($"proc/{pid}/smaps_rollup", content);
        }

        ScanAndResolve();
        ScanAndResolve();
        Assert.Equal(Unobserved.Value, _host.Newest(100).PssKibibytes);
        (int id, string text) = Assert.Single(_host.Logger.Messages);
        Assert.Equal(3001, id);
        Assert.Contains("smaps_rollup", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_FaultOver_IsSaid()
    {
        _host.WriteProcess(100, "a", 500);
        _host.Write("proc/101/stat", "101 (b) S 1 1");
        ScanAndResolve();
        _host.WriteProcess(101, "b", 500);
        ScanAndResolve();
        Assert.Equal([3001, 3002], _host.Logger.Messages.Select(message => message.Id));
    }

    [Fact]
    public void Scan_RollupNotPermitted_IsAbsentAndSaidOnce()
    {
        const string foreign = "/proc/1/smaps_rollup";
        Assert.SkipUnless(!CanRead(foreign), $"{foreign} can be read here: nothing refuses");
        for (int pid = 100; pid < 105; pid++)
        {
            _host.WriteProcess(pid, "a", 500);
            string file = Path.Combine(_host.Proc, $"{pid}/smaps_rollup");
            File.Delete(file);
            _ = File.CreateSymbolicLink(file, foreign);
        }

        ScanAndResolve();
        ScanAndResolve();
        Assert.Equal(Unobserved.Value, _host.Newest(100).PssKibibytes);
        Assert.Contains("not permitted", Assert.Single(_host.Logger.Messages).Text, StringComparison.Ordinal);
        Assert.Equal(5, _host.Scanner.PssReads);
    }

    [Fact]
    public void Scan_ProcfsMissingOrEmpty_SaysSoOnceAndEndsNobody()
    {
        _host.WriteProcess(100, "a", 500);
        ScanAndResolve();
        _host.RemoveProcess(100);
        ScanAndResolve();
        Directory.Delete(_host.Proc);
        ScanAndResolve();

        Assert.False(_host.Newest(100).Ended);
        Assert.Equal(3001, Assert.Single(_host.Logger.Messages).Id);
    }

    [Fact]
    public void Scan_KernelThreadsAndZombies_HaveNoRows()
    {
        _host.WriteProcess(2, "kthreadd", 1, kernel: true);
        _host.WriteProcess(100, "a", 500, state: 'Z');
        ScanAndResolve();
        Assert.Equal(0, _host.Processes.Count);
    }

    [Fact]
    public async Task RunAsync_UntilCancelled_ScansAndAnswersThenEndsQuietly()
    {
        string id = new('a', 64);
        _host.WriteProcess(100, "a", 500);
        _host.Write($"rootfs/var/lib/docker/containers/{id}/config.v2.json", """{"Name":"/db"}""");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task run = _host.Scanner.RunAsync(stop.Token);
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(5));
        while (_host.Processes.Count == 0)
        {
            await poll.WaitForNextTickAsync(stop.Token);
            _host.Resolve();
        }

        _host.Tracker.Containers.Want(id);
        while (_host.Tracker.Containers.Find(id) is null)
        {
            await poll.WaitForNextTickAsync(stop.Token);
        }

        await stop.CancelAsync();
        await run;
        Assert.Equal("a", _host.Newest(100).Name);
    }

    private static bool CanRead(string file)
    {
        try
        {
            return File.ReadAllText(file).Length > 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
