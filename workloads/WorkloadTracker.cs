using System.Text;
using System.Threading.Channels;
using Keck.Metering;
using Keck.Workloads.Interop;
using Microsoft.Extensions.Logging;

namespace Keck.Workloads;

/// <summary>
/// Gives each thread its process, and each process its name, cgroup, container and pod. <see cref="Resolve"/> belongs to the tick
/// thread and costs what is new, not what is there; what takes time arrives from the <see cref="ProcessScanner"/>.
/// </summary>
public sealed class WorkloadTracker
{
    private const int FactsPerTick = 4096;
    private const int PlaceLimit = 65_536;
    private const int UndescribedLimit = 16_384;
    private const int YoungLimit = 1_024;

    private readonly FileText _file = new(limit: 64 * 1024);
    private readonly FaultLog _faults;
    private readonly Channel<ProcessFact> _facts;
    private readonly Channel<int> _young = Channel.CreateBounded<int>(
        new BoundedChannelOptions(YoungLimit) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Dictionary<string, CgroupPlace> _places = [];
    private readonly List<Undescribed> _undescribed = [];

    // By process row: the exact start that a row found by procfs (start cut to 10 ms) turned out to have; 0 where unknown.
    private readonly Column<long> _exactStarts = new();

    /// <summary>Builds the tracker; nothing is read before the first <see cref="Resolve"/>.</summary>
    /// <exception cref="ArgumentException">An option is out of its range; the message names all of them.</exception>
    public WorkloadTracker(WorkloadOptions options, TimeProvider time, ILogger logger)
    {
        IReadOnlyList<string> errors = options.Validate();
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", errors), nameof(options));
        }

        Options = options;
        _faults = new FaultLog(logger);
        _facts = Channel.CreateBounded<ProcessFact>(
            new BoundedChannelOptions(options.QueueLength) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });
        Cgroups = new CgroupTree(options, time, logger);
        Pods = new PodDirectory(options, time, logger);
        Containers = new ContainerDirectory(options, Pods, time, logger);
    }

    /// <summary>Names of the containers met.</summary>
    public ContainerDirectory Containers { get; }

    /// <summary>Names of the pods met.</summary>
    public PodDirectory Pods { get; }

    /// <summary>The settings.</summary>
    internal WorkloadOptions Options { get; }

    /// <summary>cgroup ids.</summary>
    internal CgroupTree Cgroups { get; }

    /// <summary>Where the scanner puts what it found; a full queue refuses.</summary>
    internal ChannelWriter<ProcessFact> Facts => _facts.Writer;

    /// <summary>Process ids that ran for the first time, for the scanner; of too many the oldest are left to its next scan.</summary>
    internal ChannelReader<int> Young => _young.Reader;

    /// <summary>Processes that wait to be described.</summary>
    internal int UndescribedCount => _undescribed.Count;

    /// <summary>Resolves what is new in the observation; after the drain, before attribution.</summary>
    public void Resolve(Observation observation)
    {
        ThreadTable threads = observation.ThreadTable;
        ProcessTable processes = observation.ProcessTable;
        for (int i = 0; i < threads.Added.Count; i++)
        {
            ref ThreadRow thread = ref threads[threads.Added[i]];
            if (thread.Process < 0)
            {
                thread.Process = ProcessOf(processes, thread);
                ref ProcessRow process = ref processes[thread.Process];
                process.LiveThreads++;
                process.Ended = false;
            }
        }

        for (int i = 0; i < threads.Ended.Count; i++)
        {
            int row = threads[threads.Ended[i]].Process;
            if (row >= 0)
            {
                ref ProcessRow process = ref processes[row];
                process.LiveThreads--;
                process.Ended |= process.LiveThreads == 0 && IsGone(process);
            }
        }

        for (int i = 0; i < FactsPerTick && _facts.Reader.TryRead(out ProcessFact fact); i++)
        {
            Apply(processes, fact);
        }

        Describe(processes);
    }

    /// <summary>Forgets a process row that is about to be released.</summary>
    public void Forget(int process)
    {
        if (process < _exactStarts.Count)
        {
            _exactStarts[process] = 0;
        }
    }

    private int ProcessOf(ProcessTable processes, in ThreadRow thread)
    {
        long start = thread.ProcessStartNanoseconds;
        if (start == 0)
        {
            if (TryReadStat(thread.Pid, out ProcessStat stat))
            {
                start = stat.StartTicks * StartTime.TickNanoseconds;
            }
            else
            {
                int newest = processes.FindNewest(thread.Pid);
                if (newest >= 0 && !processes[newest].Ended && thread.Tid != thread.Pid)
                {
                    return newest;
                }

                // Dead before anybody saw its leader: the thread's own start is the best that is known.
                start = thread.StartNanoseconds;
            }
        }

        return FindOrAdd(processes, thread.Pid, start, thread.Name, thread.Kernel, thread.CgroupId, leader: thread.Tid == thread.Pid, live: true);
    }

    private int FindOrAdd(ProcessTable processes, int pid, long start, string name, bool kernel, ulong cgroupId, bool leader, bool live)
    {
        int row = processes.Find(pid, start);
        if (row >= 0)
        {
            return row;
        }

        int newest = processes.FindNewest(pid);
        if (newest >= 0)
        {
            ref ProcessRow known = ref processes[newest];
            if (IsSame(newest, known.StartNanoseconds, start))
            {
                return newest;
            }

            // The pid was given again: whoever had it is dead, told or not.
            known.Ended |= known.LiveThreads == 0;
        }

        row = processes.FindOrAdd(pid, start, name, kernel);
        _exactStarts.Resize(Math.Max(_exactStarts.Count, row + 1));
        _exactStarts[row] = 0;
        if (live)
        {
            if (!kernel)
            {
                _ = _young.Writer.TryWrite(pid);
            }

            _undescribed.Add(new Undescribed(row, pid, start, cgroupId, leader));
        }

        return row;
    }

    /// <summary>
    /// Whether two starts are one: the same tick of 10 ms, of which one of them tells no more. Two exact starts are never one.
    /// </summary>
    private bool IsSame(int row, long known, long asked)
    {
        if (StartTime.Ticks(known) != StartTime.Ticks(asked))
        {
            return false;
        }

        if (StartTime.IsCut(asked))
        {
            return true;
        }

        if (!StartTime.IsCut(known) || (_exactStarts[row] != 0 && _exactStarts[row] != asked))
        {
            return false;
        }

        _exactStarts[row] = asked;
        return true;
    }

    private bool IsGone(in ProcessRow process) =>
        process.Kernel
        || !TryReadStat(process.Pid, out ProcessStat stat)
        || stat.StartTicks != StartTime.Ticks(process.StartNanoseconds)
        || stat.Gone;

    private void Apply(ProcessTable processes, in ProcessFact fact)
    {
        int newest = processes.FindNewest(fact.Pid);
        long newestTicks = newest < 0 ? -1 : StartTime.Ticks(processes[newest].StartNanoseconds);
        if (fact.Gone)
        {
            if (newestTicks == fact.StartTicks)
            {
                ref ProcessRow gone = ref processes[newest];
                gone.Ended |= gone.LiveThreads == 0;
            }

            return;
        }

        // A fact about a process whose pid has been given again since, or that has ended since, is too late.
        if (newestTicks > fact.StartTicks || (newestTicks == fact.StartTicks && processes[newest].Ended))
        {
            return;
        }

        int row = FindOrAdd(processes, fact.Pid, fact.StartTicks * StartTime.TickNanoseconds, fact.Name, fact.Kernel, cgroupId: 0, leader: true, live: false);
        ref ProcessRow process = ref processes[row];
        if (!string.Equals(process.Name, fact.Name, StringComparison.Ordinal))
        {
            process.Name = fact.Name;
            process.Changed = true;
        }

        if (process.PssKibibytes != fact.PssKibibytes)
        {
            process.PssKibibytes = fact.PssKibibytes;
            process.Changed = true;
        }

        if (fact.Cgroup is not null)
        {
            Place(ref process, fact.Cgroup);
        }

        process.Described = true;
    }

    private void Describe(ProcessTable processes)
    {
        int reads = Options.DescribePerTick;
        int kept = 0;
        for (int i = 0; i < _undescribed.Count; i++)
        {
            Undescribed waiting = _undescribed[i];
            ref ProcessRow process = ref processes[waiting.Row];
            if (process.Pid == waiting.Pid && process.StartNanoseconds == waiting.StartNanoseconds && !TryDescribe(ref process, ref waiting, ref reads))
            {
                _undescribed[kept++] = waiting;
            }
        }

        _undescribed.RemoveRange(kept, _undescribed.Count - kept);
    }

    /// <returns>Whether nothing more is to be found out about it.</returns>
    private bool TryDescribe(ref ProcessRow process, ref Undescribed waiting, ref int reads)
    {
        bool byId = Cgroups.TryGet(waiting.CgroupId, out string path);
        // Off pure v2 the root of the v2 hierarchy tells nothing: the v1 hierarchies may tell more.
        bool placed = byId && (Cgroups.Mount.Whole || path.Length > 1);
        if (placed)
        {
            Place(ref process, path);
        }

        if (process.Kernel || (placed && waiting.Leader))
        {
            process.Described = true;
            return true;
        }

        bool walked = waiting.Walk != 0 && Cgroups.Completed >= waiting.Walk;
        if (waiting.Walk == 0)
        {
            if (reads == 0)
            {
                return false;
            }

            reads--;
            if (TryDescribeFromProcfs(ref process, placed))
            {
                return true;
            }

            // It is dead. Only its cgroup's id is left, and only a walk begun from now on surely has that.
            waiting = waiting with { Walk = Cgroups.Started + 1 };
            if (waiting.CgroupId != 0 && !byId && _undescribed.Count < UndescribedLimit)
            {
                Cgroups.Request();
                return false;
            }
        }
        else if (!placed && !walked)
        {
            return false;
        }

        if (byId && !placed)
        {
            Place(ref process, path);
        }

        process.Described = true;
        return true;
    }

    private bool TryDescribeFromProcfs(ref ProcessRow process, bool placed)
    {
        string? path = null;
        if (!placed)
        {
            Absence? absent = _file.Read(Options.ProcRoot, process.Pid, "cgroup");
            path = absent is null ? ProcCgroupFile.BestPath(_file.Content) : null;
            if ((absent ?? (path is null ? Absence.Malformed : null)) is { } reason && reason != Absence.NotPresent)
            {
                _faults.Note("cgroups of processes", reason, $"{Options.ProcRoot}/{process.Pid}/cgroup", "they are shown without a container and a pod; run as root or with CAP_SYS_PTRACE on a kernel with cgroups");
            }
        }

        // The start is read after the cgroup: if it is still this process's, the cgroup was, too.
        if (!TryReadStat(process.Pid, out ProcessStat stat) || stat.StartTicks != StartTime.Ticks(process.StartNanoseconds))
        {
            return false;
        }

        if (!Equals(process.Name, stat.Name))
        {
            process.Name = stat.NameText;
            process.Changed = true;
        }

        if (path is not null)
        {
            Place(ref process, path);
        }

        process.Described = true;
        return true;
    }

    private bool TryReadStat(int pid, out ProcessStat stat)
    {
        stat = default;
        Absence? absent = _file.Read(Options.ProcRoot, pid, "stat");
        if (absent is null && !ProcessStat.TryParse(_file.Content, out stat))
        {
            absent = Absence.Malformed;
        }

        if (absent is { } reason && reason != Absence.NotPresent)
        {
            _faults.Note("stat of processes", reason, $"{Options.ProcRoot}/{pid}/stat", "they are shown by the names of their threads; check the procfs root and its hidepid option");
        }

        return absent is null;
    }

    private void Place(ref ProcessRow process, string path)
    {
        if (string.Equals(process.Cgroup, path, StringComparison.Ordinal))
        {
            return;
        }

        if (!_places.TryGetValue(path, out CgroupPlace place))
        {
            if (_places.Count >= PlaceLimit)
            {
                _places.Clear();
            }

            place = CgroupPath.Parse(path);
            _places.Add(path, place);
        }

        process.Cgroup = path;
        process.Container = place.Container;
        process.PodUid = place.PodUid;
        process.Changed = true;
        if (place.Container is { } container)
        {
            Containers.Want(container);
        }

        if (place.PodUid is { } pod)
        {
            Pods.Want(pod);
        }
    }

    private static bool Equals(string name, ReadOnlySpan<byte> bytes)
    {
        Span<char> text = stackalloc char[64];
        return Encoding.UTF8.TryGetChars(bytes, text, out int length) && text[..length].SequenceEqual(name);
    }

    private readonly record struct Undescribed(int Row, int Pid, long StartNanoseconds, ulong CgroupId, bool Leader)
    {
        /// <summary>The walk of the cgroup tree it waits for; 0 before procfs has been asked.</summary>
        internal long Walk { get; init; }
    }
}
