using Keck.Metering;

namespace Keck.Workloads.Tests;

/// <summary>A procfs, sysfs and root in a temporary folder, with the tracker and scanner that read it.</summary>
internal sealed class FakeHost : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("keck-workloads-").FullName;

    internal FakeHost(Func<WorkloadOptions, WorkloadOptions>? change = null)
    {
        _ = Directory.CreateDirectory(Proc);
        _ = Directory.CreateDirectory(CgroupRoot);
        File.WriteAllText(Path.Combine(CgroupRoot, "cgroup.controllers"), "cpu memory\n");
        var options = new WorkloadOptions { ProcRoot = Proc, SysRoot = Path.Combine(_root, "sys"), RootFs = Path.Combine(_root, "rootfs") };
        Tracker = new WorkloadTracker(change?.Invoke(options) ?? options, Time, Logger);
        Scanner = new ProcessScanner(Tracker, Time, Logger);
    }

    internal string Proc => Path.Combine(_root, "proc");

    internal string CgroupRoot => Path.Combine(_root, "sys/fs/cgroup");

    internal FakeTime Time { get; } = new();

    internal FakeLogger Logger { get; } = new();

    internal Observation Observation { get; } = new();

    internal WorkloadTracker Tracker { get; }

    internal ProcessScanner Scanner { get; }

    internal ProcessTable Processes => Observation.ProcessTable;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    internal void Write(string path, string content)
    {
        string full = Path.Combine(_root, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }

    internal void WriteProcess(int pid, string name, long startTicks, string cgroup = "0::/system.slice/a.service\n", long pages = 1000, long pss = 3000, char state = 'S', int threads = 1, bool kernel = false)
    {
        Write($"proc/{pid}/stat", $"{pid} ({name}) {state} 1 1 1 0 -1 {(kernel ? 0x200040 : 0x400000)} 0 0 0 0 0 0 0 0 20 0 {threads} 0 {startTicks} 4096000 {pages} 18446744073709551615 1 1 0\n");
        Write($"proc/{pid}/cgroup", cgroup);
        Write($"proc/{pid}/smaps_rollup", $"00400000-7fff00000000 ---p 00000000 00:00 0 [rollup]\nRss:  {pss + 1000} kB\nPss:  {pss} kB\nPss_Anon:  7 kB\n");
    }

    internal void RemoveProcess(int pid) => Directory.Delete(Path.Combine(Proc, $"{pid}"), recursive: true);

    internal string MakeCgroup(string path)
    {
        string full = CgroupRoot + path;
        _ = Directory.CreateDirectory(full);
        return full;
    }

    internal int AddThread(int tid, int pid, long processStart, string name = "thread", ulong cgroupId = 0, long? start = null, bool kernel = false) =>
        Observation.ThreadTable.Add(new ThreadRow
        {
            Tid = tid,
            Pid = pid,
            Name = name,
            ProcessStartNanoseconds = processStart,
            StartNanoseconds = start ?? processStart,
            CgroupId = cgroupId,
            Kernel = kernel,
        });

    internal ref ProcessRow ProcessOf(int thread) => ref Processes[Observation.ThreadTable[thread].Process];

    internal ref ProcessRow Newest(int pid) => ref Processes[Processes.FindNewest(pid)];

    /// <summary>One tick: what was added and ended before the call belongs to it.</summary>
    internal void Resolve()
    {
        Tracker.Resolve(Observation);
        Observation.Begin(Observation.Tick + 1, Observation.EndNanoseconds);
    }
}
