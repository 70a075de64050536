using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Text;
using Keck.Metering;
using Keck.Workloads.Interop;
using Microsoft.Extensions.Logging;

namespace Keck.Workloads;

/// <summary>
/// Finds out, away from the tick, what costs time: processes that only sleep, their memory, moves between cgroups, new names,
/// deaths that nobody told; and the cgroup tree and the names of containers when the tick thread asks for them.
/// </summary>
public sealed class ProcessScanner
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);

    // A part of the scan's budget: a fork storm must not turn the beat into a scan of its own.
    private const int YoungBudgetPart = 5;

    // Runtimes and service managers move a process right after its birth: its first visits look at the cgroup each time.
    private const int YoungVisits = 3;

    private readonly WorkloadTracker _tracker;
    private readonly WorkloadOptions _options;
    private readonly TimeProvider _time;
    private readonly FaultLog _faults;
    private readonly PssReader _pss;
    private readonly FileText _file = new(64 * 1024);
    private readonly Dictionary<int, KnownProcess> _known = [];
    private readonly List<int> _pids = [];
    private readonly List<int> _vanished = [];
    private int _lastVisited;
    private long _scan;
    private long _dropped;
    private long _pssReads;

    /// <summary>Builds a scanner for a tracker.</summary>
    public ProcessScanner(WorkloadTracker tracker, TimeProvider time, ILogger logger)
    {
        _tracker = tracker;
        _options = tracker.Options;
        _time = time;
        _faults = new FaultLog(logger);
        _pss = new PssReader(_options.ProcRoot);
    }

    /// <summary>Facts that found no room in the queue and had to be told again, since the start.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>PSS values read, since the start.</summary>
    public long PssReads => Interlocked.Read(ref _pssReads);

    /// <summary>Scans every <see cref="WorkloadOptions.ScanInterval"/> and answers the tick thread's questions in between.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // The first scan is no business of the caller's thread.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var timer = new PeriodicTimer(Beat, _time);
        long last = _time.GetTimestamp();
        Scan();
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                Answer();
                LookAtYoung();
                if (_time.GetElapsedTime(last) >= _options.ScanInterval)
                {
                    last = _time.GetTimestamp();
                    Scan();
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The ordinary end.
        }
    }

    /// <summary>Answers what the tick thread asked: the cgroup tree, names of containers and pods.</summary>
    internal void Answer()
    {
        _tracker.Cgroups.WalkIfRequested();
        _tracker.Containers.ResolvePending();
        _tracker.Pods.ResolvePending();
    }

    /// <summary>Looks at the processes that the tick thread has met since and no scan has: until then nobody knows what memory they hold.</summary>
    internal void LookAtYoung()
    {
        long start = _time.GetTimestamp();
        while (_time.GetElapsedTime(start) * YoungBudgetPart < _options.ScanBudget && _tracker.Young.TryRead(out int pid))
        {
            ref KnownProcess known = ref CollectionsMarshal.GetValueRefOrAddDefault(_known, pid, out _);
            known.Seen = _scan;
            Visit(pid, ref known);
            if (known.Visits == 0)
            {
                // It is dead.
                _ = _known.Remove(pid);
            }
        }
    }

    /// <summary>One scan, as far as its budget reaches; the next one goes on from there.</summary>
    internal void Scan()
    {
        long start = _time.GetTimestamp();
        Answer();
        if (!ListPids())
        {
            return;
        }

        _scan++;
        foreach (int pid in _pids)
        {
            ref KnownProcess known = ref CollectionsMarshal.GetValueRefOrAddDefault(_known, pid, out _);
            known.Seen = _scan;
        }

        TellVanished();
        int first = _pids.BinarySearch(_lastVisited + 1);
        first = first < 0 ? ~first : first;
        for (int i = 0; i < _pids.Count; i++)
        {
            int pid = _pids[(first + i) % _pids.Count];
            Visit(pid, ref CollectionsMarshal.GetValueRefOrNullRef(_known, pid));
            _lastVisited = pid;
            if (_time.GetElapsedTime(start) >= _options.ScanBudget)
            {
                return;
            }
        }

        // Only a scan that reached everybody can say that a fault is over.
        _faults.EndRound();
    }

    private bool ListPids()
    {
        _pids.Clear();
        Absence? absent = null;
        try
        {
            var entries = new FileSystemEnumerable<int>(
                _options.ProcRoot,
                (ref FileSystemEntry entry) => int.TryParse(entry.FileName, out int pid) ? pid : 0,
                new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = true })
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) => char.IsAsciiDigit(entry.FileName[0]),
            };
            foreach (int pid in entries)
            {
                if (pid > 0)
                {
                    _pids.Add(pid);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            absent = e is UnauthorizedAccessException ? Absence.NotPermitted : Absence.NotPresent;
        }

        // A procfs without any process is no procfs: that nobody is there must not end everybody.
        absent ??= _pids.Count == 0 ? Absence.NotPresent : null;
        if (absent is { } reason)
        {
            _faults.Note("the list of processes", reason, _options.ProcRoot, "no sleeping process and no memory is known; mount procfs there or set the procfs root");
            return false;
        }

        _pids.Sort();
        return true;
    }

    private void TellVanished()
    {
        _vanished.Clear();
        foreach ((int pid, KnownProcess known) in _known)
        {
            if (known.Seen != _scan && (known.Visits == 0 || Tell(known.Fact with { Gone = true })))
            {
                _vanished.Add(pid);
            }
        }

        foreach (int pid in _vanished)
        {
            _ = _known.Remove(pid);
        }
    }

    private void Visit(int pid, ref KnownProcess known)
    {
        Absence? absent = _file.Read(_options.ProcRoot, pid, "stat");
        ProcessStat stat = default;
        if (absent is null && !ProcessStat.TryParse(_file.Content, out stat))
        {
            absent = Absence.Malformed;
        }

        if (absent is { } reason)
        {
            if (reason != Absence.NotPresent)
            {
                _faults.Note("stat of processes", reason, $"{_options.ProcRoot}/{pid}/stat", "they are known only while they run; check the procfs root and its hidepid option");
            }

            return;
        }

        if (known.Visits == 0 || known.Fact.StartTicks != stat.StartTicks)
        {
            known = new KnownProcess
            {
                Seen = _scan,
                Untold = true,
                PssPages = Unobserved.Value,
                Fact = new ProcessFact { Pid = pid, StartTicks = stat.StartTicks, Name = "", Kernel = stat.Kernel, PssKibibytes = Unobserved.Value },
            };
        }

        known.Visits++;
        if (known.Fact.Gone || stat.Kernel)
        {
            // Kernel threads have no memory, no container and are told by the run source.
            return;
        }

        known.Fact.Gone = stat.Gone;
        known.Untold |= stat.Gone;
        bool renamed = Rename(ref known, stat);
        long pages = stat.ResidentPages;
        if (!known.Fact.Gone)
        {
            if (renamed || known.Visits <= YoungVisits || (known.Visits + pid) % _options.RefreshVisits == 0)
            {
                ReadCgroup(ref known);
            }

            if (IsPssDue(ref known, pages))
            {
                ReadPss(ref known, pages);
            }
        }

        NoteFaults(known);
        if (known.Untold)
        {
            known.Untold = !Tell(known.Fact);
        }
    }

    private static bool Rename(ref KnownProcess known, in ProcessStat stat)
    {
        Span<char> text = stackalloc char[64];
        if (Encoding.UTF8.TryGetChars(stat.Name, text, out int length) && text[..length].SequenceEqual(known.Fact.Name))
        {
            return false;
        }

        known.Fact.Name = stat.NameText;
        known.Untold = true;
        return true;
    }

    private void ReadCgroup(ref KnownProcess known)
    {
        Absence? absent = _file.Read(_options.ProcRoot, known.Fact.Pid, "cgroup");
        string? path = absent is null ? ProcCgroupFile.BestPath(_file.Content) : null;
        absent ??= path is null ? Absence.Malformed : null;
        known.CgroupFault = absent == Absence.NotPresent ? null : absent;
        if (path is not null && path != known.Fact.Cgroup)
        {
            known.Fact.Cgroup = path;
            known.Untold = true;
        }
    }

    private bool IsPssDue(ref KnownProcess known, long pages)
    {
        known.VisitsSincePss++;
        // A PSS that may not be read does not become readable by a change of RSS.
        bool changed = known.Fact.PssKibibytes >= 0
            && Int128.Abs((Int128)pages - known.PssPages) * 100 > (Int128)known.PssPages * _options.PssChangePercent;
        return known.PssPages < 0 || changed || known.VisitsSincePss >= _options.RefreshVisits;
    }

    private void ReadPss(ref KnownProcess known, long pages)
    {
        Interlocked.Increment(ref _pssReads);
        Reading<long> pss = _pss.Read(known.Fact.Pid);
        known.PssFault = pss.Value is null && pss.Reason != Absence.NotPresent ? pss.Reason : null;
        known.PssPages = pages;
        known.VisitsSincePss = 0;
        long kibibytes = pss.Value ?? Unobserved.Value;
        known.Untold |= known.Fact.PssKibibytes != kibibytes;
        known.Fact.PssKibibytes = kibibytes;
    }

    /// <summary>A fault stays one in the rounds that do not read the file again.</summary>
    private void NoteFaults(in KnownProcess known)
    {
        if (known.CgroupFault is { } cgroup)
        {
            _faults.Note("the cgroup of some processes", cgroup, $"{_options.ProcRoot}/{known.Fact.Pid}/cgroup", "they are shown where they were last seen");
        }

        if (known.PssFault is { } pss)
        {
            _faults.Note("the PSS of some processes", pss, $"{_options.ProcRoot}/{known.Fact.Pid}/smaps_rollup", "their memory is unknown, and what they hold of the memory's energy is unattributed; CAP_SYS_PTRACE allows it, but for processes that a security module guards");
        }
    }

    private bool Tell(in ProcessFact fact)
    {
        if (_tracker.Facts.TryWrite(fact))
        {
            return true;
        }

        Interlocked.Increment(ref _dropped);
        return false;
    }
}
