using Keck.Metering;
using Microsoft.Extensions.Logging;

namespace Keck.Workloads;

/// <summary>
/// Names of pods by UID: from the containers' files, else the names of the directories
/// <c>/var/log/pods/NAMESPACE_NAME_UID</c>, else only that kubelet has a directory <c>/var/lib/kubelet/pods/UID</c>.
/// </summary>
public sealed class PodDirectory
{
    private const int DirectoryLimit = 10_000;

    private readonly NameCache<PodInfo> _cache;
    private readonly FaultLog _faults;
    private readonly string _logs;
    private readonly string _kubelet;
    private Dictionary<string, PodInfo>? _listed;

    internal PodDirectory(WorkloadOptions options, TimeProvider time, ILogger logger)
    {
        _cache = new NameCache<PodInfo>(time);
        _faults = new FaultLog(logger);
        _logs = Path.Combine(options.RootFs, "var/log/pods");
        _kubelet = Path.Combine(options.RootFs, "var/lib/kubelet/pods");
    }

    /// <summary>A pod's names, or null where nobody has told (yet). Any thread; reads nothing.</summary>
    public PodInfo? Find(string uid) => _cache.Find(uid);

    /// <summary>Asks for a pod.</summary>
    internal void Want(string uid) => _cache.Want(uid);

    /// <summary>Takes what a container's file says about its pod.</summary>
    internal void Put(PodInfo pod) => _cache.Put(pod.Uid, pod);

    /// <summary>Looks up what is due. Scanner's thread only.</summary>
    internal void ResolvePending()
    {
        _listed = null;
        _cache.ResolvePending(Ask);
        _listed = null;
    }

    /// <summary>Reads <c>NAMESPACE_NAME_UID</c>; neither a namespace nor a pod's name may hold an underscore.</summary>
    internal static PodInfo? Parse(string directory)
    {
        string[] parts = directory.Split('_');
        return parts.Length == 3 && parts.All(part => part.Length > 0) ? new PodInfo(parts[2], parts[1], parts[0]) : null;
    }

    private PodInfo? Ask(string uid)
    {
        // One listing serves all the pods that are asked for at once.
        _listed ??= List();
        return _listed.GetValueOrDefault(uid) ?? (Directory.Exists(Path.Combine(_kubelet, uid)) ? new PodInfo(uid, null, null) : null);
    }

    private Dictionary<string, PodInfo> List()
    {
        Dictionary<string, PodInfo> pods = [];
        try
        {
            if (Directory.Exists(_logs))
            {
                foreach (string directory in Directory.EnumerateDirectories(_logs).Take(DirectoryLimit))
                {
                    if (Parse(Path.GetFileName(directory)) is { } pod)
                    {
                        pods[pod.Uid] = pod;
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Absence reason = e is UnauthorizedAccessException ? Absence.NotPermitted : Absence.NotPresent;
            _faults.Note("names of pods", reason, _logs, "pods are shown by their UIDs; let the agent read this directory");
        }

        return pods;
    }
}
