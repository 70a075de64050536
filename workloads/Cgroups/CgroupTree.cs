using System.IO.Enumeration;
using Keck.Metering;
using Keck.Workloads.Interop;
using Microsoft.Extensions.Logging;

namespace Keck.Workloads;

/// <summary>
/// cgroup id → path. On v2 the id that eBPF tells is the inode of the cgroup's directory, so a process that is already dead can
/// still be placed. The tick thread asks; the scanner's thread walks the tree when something asked was not there.
/// </summary>
internal sealed class CgroupTree(WorkloadOptions options, TimeProvider time, ILogger logger)
{
    private const int DirectoryLimit = 100_000;
    private static readonly TimeSpan WalkPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeepGone = TimeSpan.FromMinutes(10);
    private static readonly EnumerationOptions Walk = new()
    {
        RecurseSubdirectories = true,
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.ReparsePoint,
        MaxRecursionDepth = 128,
    };

    private readonly FileText _file = new(4096);
    private readonly FaultLog _faults = new(logger);
    private Dictionary<ulong, (string Path, long Seen)> _paths = [];
    private long _started;
    private long _completed;
    private long _lastWalk;
    private bool _requested = true;

    /// <summary>Where the hierarchy is.</summary>
    internal CgroupMount Mount { get; } = CgroupMount.Find(options);

    /// <summary>Walks begun so far.</summary>
    internal long Started => Volatile.Read(ref _started);

    /// <summary>Walks done so far.</summary>
    internal long Completed => Volatile.Read(ref _completed);

    /// <summary>The path of a cgroup, gone ones included for a while.</summary>
    internal bool TryGet(ulong id, out string path)
    {
        bool found = Volatile.Read(ref _paths).TryGetValue(id, out (string Path, long Seen) entry);
        path = entry.Path;
        return found;
    }

    /// <summary>Asks for a walk.</summary>
    internal void Request() => Volatile.Write(ref _requested, true);

    /// <summary>Walks if asked to and the last walk is a second ago. Scanner's thread only.</summary>
    internal void WalkIfRequested()
    {
        if (Volatile.Read(ref _requested) && (_started == 0 || time.GetElapsedTime(_lastWalk) >= WalkPause))
        {
            WalkNow();
        }
    }

    private void WalkNow()
    {
        _lastWalk = time.GetTimestamp();
        Volatile.Write(ref _requested, false);
        Interlocked.Increment(ref _started);
        if (Mount.Root is { } root)
        {
            Volatile.Write(ref _paths, Read(root));
            _faults.EndRound();
        }

        Interlocked.Increment(ref _completed);
    }

    private Dictionary<ulong, (string Path, long Seen)> Read(string root)
    {
        Dictionary<ulong, (string Path, long Seen)> paths = [];
        Dictionary<ulong, (string Path, long Seen)> before = _paths;
        Add(paths, before, root, "/");
        try
        {
            var directories = new FileSystemEnumerable<string>(root, (ref FileSystemEntry entry) => entry.ToFullPath(), Walk)
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) => entry.IsDirectory,
            };
            foreach (string directory in directories)
            {
                Add(paths, before, directory, directory[root.TrimEnd('/').Length..]);
                if (paths.Count >= DirectoryLimit)
                {
                    _faults.Note("the cgroup tree", Absence.Malformed, root, $"it has more than {DirectoryLimit} directories; processes in the others are placed by procfs only");
                    break;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Absence reason = e is UnauthorizedAccessException ? Absence.NotPermitted : Absence.NotPresent;
            _faults.Note("the cgroup tree", reason, root, "short-lived processes have no cgroup; mount cgroup2 or set the sysfs root");
        }

        foreach ((ulong id, (string Path, long Seen) entry) in before)
        {
            if (time.GetElapsedTime(entry.Seen, _lastWalk) < KeepGone)
            {
                _ = paths.TryAdd(id, entry);
            }
        }

        return paths;
    }

    private void Add(Dictionary<ulong, (string Path, long Seen)> paths, Dictionary<ulong, (string Path, long Seen)> before, string directory, string path)
    {
        ulong id = _file.Inode(directory);
        if (id != 0)
        {
            bool same = before.TryGetValue(id, out (string Path, long Seen) entry) && entry.Path == path;
            paths[id] = (same ? entry.Path : path, _lastWalk);
        }
    }
}
