using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf;

/// <summary>
/// Times without BPF: threads that live long enough to be listed by their own <c>schedstat</c> (ns), and what else ran in a
/// leaf cgroup by its <c>cpu.stat</c> (µs, the dead included) as one pseudo thread named <c>other</c>.
/// </summary>
/// <remarks>
/// An approximation, and labelled so by <see cref="Name"/>: all of a thread's time since the last drain is put on the CPU
/// it was last seen on (field 39 of <c>stat</c>), a cgroup's rest on CPU 0. There is no idle or interrupt time per CPU, no
/// frequency, no SMT sharing. A pseudo thread has a negative tid and pid, minus its cgroup's place in the order found.
/// </remarks>
public sealed class SchedstatRunSource : IRunSource, IDisposable
{
    private const int ProcessorField = 39;
    private const long NanosecondsPerTick = 10_000_000;

    private readonly SchedstatOptions _options;
    private readonly TimeProvider _time;
    private readonly Dictionary<int, KnownThread> _threads = [];
    private readonly Dictionary<string, KnownCgroup> _cgroups = [];
    private readonly byte[] _buffer = new byte[4096];
    private readonly List<int> _gone = [];
    private readonly List<long> _busy = [];
    private long _listed;
    private int _pseudo;
    private bool _started;

    /// <summary>Reads nothing yet: the first drain is the baseline.</summary>
    public SchedstatRunSource(SchedstatOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _options = options;
        _time = time;
    }

    /// <inheritdoc/>
    public string Name => "schedstat";

    /// <summary>Threads read by their own files.</summary>
    public int ThreadCount => _threads.Count;

    /// <summary>Leaf cgroups read.</summary>
    public int CgroupCount => _cgroups.Count;

    /// <inheritdoc/>
    public void Drain(Observation into)
    {
        ArgumentNullException.ThrowIfNull(into);
        into.EndNanoseconds = (long)(_time.GetTimestamp() * (1e9 / _time.TimestampFrequency));
        bool first = !_started;
        _started = true;
        if (first || _time.GetElapsedTime(_listed) >= _options.Discovery)
        {
            _listed = _time.GetTimestamp();
            ListCgroups(into);
            ListThreads(into, first);
        }

        for (int cpu = 0; cpu < _busy.Count; cpu++)
        {
            _busy[cpu] = 0;
        }

        foreach (KnownThread thread in _threads.Values)
        {
            ReadThread(into, thread);
        }

        foreach (int tid in _gone)
        {
            into.ThreadTable.End(_threads[tid].Row);
            _threads[tid].Dispose();
            _ = _threads.Remove(tid);
        }

        _gone.Clear();
        foreach (KnownCgroup cgroup in _cgroups.Values)
        {
            ReadCgroup(into, cgroup);
        }

        // A tick in which nobody ran is known too: a CPU once seen is always told of, CPU 0 from the first tick on.
        if (_busy.Count == 0 && !first && _threads.Count + _cgroups.Count > 0)
        {
            _busy.Add(0);
        }

        if (!first)
        {
            for (int cpu = 0; cpu < _busy.Count; cpu++)
            {
                ref CpuSample sample = ref into.Cpus.Add();
                sample.Cpu = cpu;
                sample.BusyNanoseconds = _busy[cpu];
                sample.KiloHertz = Unobserved.Value;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (KnownThread thread in _threads.Values)
        {
            thread.Dispose();
        }

        foreach (KnownCgroup cgroup in _cgroups.Values)
        {
            cgroup.Dispose();
        }

        _threads.Clear();
        _cgroups.Clear();
    }

    private void ReadThread(Observation into, KnownThread thread)
    {
        long ran = KeptFile.Number(thread.Schedstat.Read(_buffer));
        if (ran < 0)
        {
            _gone.Add(thread.Tid);
            return;
        }

        long delta = ran - thread.Ran;
        thread.Ran = Math.Max(ran, thread.Ran);
        if (delta <= 0)
        {
            return;
        }

        if (thread.Cgroup is { } cgroup)
        {
            cgroup.Known += delta;
        }

        Emit(into, thread.Row, (int)Math.Max(0, StatField(thread.Stat.Read(_buffer), ProcessorField)), delta);
    }

    private void ReadCgroup(Observation into, KnownCgroup cgroup)
    {
        long known = cgroup.Known;
        cgroup.Known = 0;
        long usage = Usage(cgroup.CpuStat.Read(_buffer));
        if (usage < 0)
        {
            return;
        }

        long rest = usage - cgroup.Usage - known - cgroup.Ahead;
        cgroup.Usage = Math.Max(usage, cgroup.Usage);
        cgroup.Ahead = Math.Max(0, -rest);
        if (rest > 0)
        {
            Emit(into, cgroup.Row, 0, rest);
        }
    }

    private void Emit(Observation into, int row, int cpu, long nanoseconds)
    {
        ref ThreadSample thread = ref into.Threads.Add();
        thread.Row = row;
        thread.FirstRun = into.Runs.Count;
        thread.RunCount = 1;
        thread.Instructions = thread.Cycles = thread.LlcMisses = Unobserved.Value;
        ref RunSample run = ref into.Runs.Add();
        run.Cpu = cpu;
        run.Nanoseconds = nanoseconds;
        run.KiloCycles = Unobserved.Value;
        while (_busy.Count <= cpu)
        {
            _busy.Add(0);
        }

        _busy[cpu] += nanoseconds;
    }

    /// <summary>Leaf cgroups only: a parent's usage holds its children's.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The cgroup owns its file.")]
    private void ListCgroups(Observation into)
    {
        HashSet<string> found = [];
        string root = UnifiedRoot(_options.CgroupRoot);
        if (Directory.Exists(root))
        {
            foreach (string file in Directory.EnumerateFiles(root, "cpu.stat", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }))
            {
                string folder = Path.GetDirectoryName(file)!;
                if (IsLeaf(folder))
                {
                    string path = "/" + Path.GetRelativePath(root, folder);
                    _ = found.Add(path == "/." ? "/" : path);
                }
            }
        }

        foreach (string path in found)
        {
            if (!_cgroups.ContainsKey(path) && KeptFile.Open(Path.Combine(root, path.TrimStart('/'), "cpu.stat")) is { } file)
            {
                int pseudo = -++_pseudo;
                ulong id = Inode.Of(Path.Combine(root, path.TrimStart('/')));
                ThreadRow row = new() { Tid = pseudo, Pid = pseudo, CgroupId = id, Name = "other" };
                _cgroups.Add(path, new KnownCgroup
                {
                    Path = path,
                    Id = id,
                    CpuStat = file,
                    Usage = Math.Max(0, Usage(file.Read(_buffer))),
                    Row = into.ThreadTable.Add(in row),
                });
            }
        }

        foreach (KnownCgroup cgroup in _cgroups.Values.Where(cgroup => !found.Contains(cgroup.Path)).ToList())
        {
            into.ThreadTable.End(cgroup.Row);
            cgroup.Dispose();
            _ = _cgroups.Remove(cgroup.Path);
        }
    }

    // Beside controllers of version 1 the hierarchy that processes name themselves by (0::) is in a folder of its own.
    private static string UnifiedRoot(string root)
    {
        string unified = Path.Combine(root, "unified");
        return !File.Exists(Path.Combine(root, "cgroup.controllers")) && File.Exists(Path.Combine(unified, "cgroup.controllers")) ? unified : root;
    }

    /// <summary>Whether a cgroup has none below it; false where it has vanished since it was listed.</summary>
    internal static bool IsLeaf(string folder)
    {
        try
        {
            return !Directory.EnumerateDirectories(folder).Any();
        }
        catch (IOException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void ListThreads(Observation into, bool first)
    {
        foreach (KnownThread thread in _threads.Values)
        {
            thread.Listed = false;
        }

        foreach (string process in Directory.Exists(_options.ProcRoot) ? Directory.EnumerateDirectories(_options.ProcRoot) : [])
        {
            if (int.TryParse(Path.GetFileName(process.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
            {
                ListThreadsOf(into, process, pid, first);
            }
        }

        foreach (KnownThread thread in _threads.Values)
        {
            if (!thread.Listed && !_gone.Contains(thread.Tid))
            {
                _gone.Add(thread.Tid);
            }
        }

        foreach (int tid in _gone)
        {
            into.ThreadTable.End(_threads[tid].Row);
            _threads[tid].Dispose();
            _ = _threads.Remove(tid);
        }

        _gone.Clear();
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The thread owns its files.")]
    private void ListThreadsOf(Observation into, string process, int pid, bool first)
    {
        try
        {
            KnownCgroup? cgroup = _cgroups.GetValueOrDefault(CgroupOf(Path.Combine(process, "cgroup")));
            long leaderStart = 0;
            foreach (string task in Directory.EnumerateDirectories(Path.Combine(process, "task")))
            {
                if (!int.TryParse(Path.GetFileName(task.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int tid)
                    || KeptFile.Open(Path.Combine(task, "stat")) is not { } stat)
                {
                    continue;
                }

                ReadOnlySpan<byte> text = stat.Read(_buffer);
                long start = StatField(text, 22);
                leaderStart = tid == pid ? start : leaderStart;
                if (_threads.TryGetValue(tid, out KnownThread? known) && known.StartTicks == start)
                {
                    known.Listed = true;
                    stat.Dispose();
                    continue;
                }

                if (known is not null || start < 0 || _threads.Count >= _options.MostThreads || KeptFile.Open(Path.Combine(task, "schedstat")) is not { } schedstat)
                {
                    stat.Dispose(); // A tid reused is taken up at the next listing, when its predecessor is gone.
                    continue;
                }

                int open = text.IndexOf((byte)'('), close = text.LastIndexOf((byte)')');
                ThreadRow row = new()
                {
                    Tid = tid,
                    Pid = pid,
                    StartNanoseconds = start * NanosecondsPerTick,
                    ProcessStartNanoseconds = Math.Max(0, leaderStart) * NanosecondsPerTick,
                    CgroupId = cgroup?.Id ?? 0,
                    Name = close > open ? Encoding.UTF8.GetString(text[(open + 1)..close]) : "",
                    Kernel = (StatField(text, 9) & 0x0020_0000) != 0,
                };
                // Born since the last listing: its time so far is in its cgroup's rest already, where it has a cgroup that is read.
                long ran = Math.Max(0, KeptFile.Number(schedstat.Read(_buffer)));
                _threads.Add(tid, new KnownThread
                {
                    Tid = tid,
                    StartTicks = start,
                    Cgroup = cgroup,
                    Row = into.ThreadTable.Add(in row),
                    Schedstat = schedstat,
                    Stat = stat,
                    Ran = first || cgroup is not null ? ran : 0,
                    Listed = true,
                });
            }
        }
        catch (IOException)
        {
            // The process ended while it was listed: its time is in its cgroup's rest.
        }
        catch (UnauthorizedAccessException)
        {
            // hidepid: the same.
        }
    }

    /// <summary>The path on the unified hierarchy (<c>0::/path</c>); empty where there is none.</summary>
    private static string CgroupOf(string file)
    {
        foreach (string line in File.Exists(file) ? File.ReadLines(file) : [])
        {
            if (line.StartsWith("0::", StringComparison.Ordinal))
            {
                return line[3..];
            }
        }

        return "";
    }

    private static long Usage(ReadOnlySpan<byte> text) =>
        text.StartsWith("usage_usec "u8) && KeptFile.Number(text["usage_usec "u8.Length..]) is var microseconds and >= 0 ? microseconds * 1000 : -1;

    /// <summary>A numeric field of /proc/PID/stat by the number proc(5) gives it (from 4 on), or -1.</summary>
    private static long StatField(ReadOnlySpan<byte> text, int field)
    {
        int close = text.LastIndexOf((byte)')');
        if (close < 0)
        {
            return -1;
        }

        text = text[(close + 1)..];
        for (int at = 2; at < field; at++)
        {
            int space = text.IndexOf((byte)' ');
            if (space < 0)
            {
                return -1;
            }

            text = text[(space + 1)..];
        }

        return KeptFile.Number(text);
    }
}
