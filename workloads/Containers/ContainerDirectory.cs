using System.Text.Json;
using Keck.Metering;
using Keck.Workloads.Interop;
using Microsoft.Extensions.Logging;

namespace Keck.Workloads;

/// <summary>
/// Names of containers by id, from the files the runtimes leave: Docker's <c>config.v2.json</c>, the OCI <c>config.json</c> of
/// containerd and CRI-O, the list of names of Podman. The files are taken for hostile: bounded, and any garbage is only "unknown".
/// </summary>
public sealed class ContainerDirectory
{
    private const int FileLimit = 1024 * 1024;
    private const int ListLimit = 8 * 1024 * 1024;
    private const int NameLimit = 253;

    private static readonly string[] ContainerdStates =
    [
        "run/containerd/io.containerd.runtime.v2.task/k8s.io",
        "run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io",
        "run/containerd/io.containerd.runtime.v2.task/default",
    ];

    private static readonly string[] StorageStates = ["run/containers/storage/overlay-containers", "var/lib/containers/storage/overlay-containers"];

    private readonly NameCache<ContainerInfo> _cache;
    private readonly FileText _file = new(FileLimit);
    private readonly FileText _list = new(ListLimit);
    private readonly FaultLog _faults;
    private readonly PodDirectory _pods;
    private readonly string _root;

    internal ContainerDirectory(WorkloadOptions options, PodDirectory pods, TimeProvider time, ILogger logger)
    {
        _cache = new NameCache<ContainerInfo>(time);
        _faults = new FaultLog(logger);
        _pods = pods;
        _root = options.RootFs;
    }

    /// <summary>A container's names, or null where nobody has told (yet). Any thread; reads nothing.</summary>
    public ContainerInfo? Find(string id) => _cache.Find(id);

    /// <summary>Asks for a container.</summary>
    internal void Want(string id) => _cache.Want(id);

    /// <summary>Looks up what is due. Scanner's thread only.</summary>
    internal void ResolvePending() => _cache.ResolvePending(Ask);

    private ContainerInfo? Ask(string id) => FromContainerd(id) ?? FromStorage(id) ?? FromDocker(id);

    private ContainerInfo? FromContainerd(string id)
    {
        foreach (string state in ContainerdStates)
        {
            if (Read(_file, Path.Combine(_root, state, id, "config.json")) is { } document)
            {
                using (document)
                {
                    JsonElement annotations = Member(document.RootElement, "annotations");
                    TellPod(
                        Text(annotations, "io.kubernetes.cri.sandbox-uid"),
                        Text(annotations, "io.kubernetes.cri.sandbox-name"),
                        Text(annotations, "io.kubernetes.cri.sandbox-namespace"));
                    string? name = Text(annotations, "io.kubernetes.cri.container-name") ?? Text(annotations, "nerdctl/name");
                    return new ContainerInfo(id, name, "containerd", Text(annotations, "io.kubernetes.cri.sandbox-uid"));
                }
            }
        }

        return null;
    }

    private ContainerInfo? FromStorage(string id)
    {
        foreach (string state in StorageStates)
        {
            if (Read(_file, Path.Combine(_root, state, id, "userdata/config.json")) is { } document)
            {
                using (document)
                {
                    JsonElement annotations = Member(document.RootElement, "annotations");
                    string? pod = Text(annotations, "io.kubernetes.pod.uid");
                    if (pod is not null)
                    {
                        TellPod(pod, Text(annotations, "io.kubernetes.pod.name"), Text(annotations, "io.kubernetes.pod.namespace"));
                        return new ContainerInfo(id, Text(annotations, "io.kubernetes.container.name"), "crio", pod);
                    }

                    return new ContainerInfo(id, NameInStorage(id), "podman", null);
                }
            }
        }

        return null;
    }

    /// <summary>Podman's names are in the storage's own list: <c>[{"id":"…","names":["web"]}]</c>.</summary>
    private string? NameInStorage(string id)
    {
        foreach (string file in (ReadOnlySpan<string>)["containers.json", "volatile-containers.json"])
        {
            using JsonDocument? list = Read(_list, Path.Combine(_root, StorageStates[1], file));
            if (list?.RootElement.ValueKind != JsonValueKind.Array)
            {
                continue;
            }

            foreach (JsonElement container in list.RootElement.EnumerateArray())
            {
                JsonElement names = Member(container, "names");
                if (Text(container, "id") == id && names.ValueKind == JsonValueKind.Array && names.GetArrayLength() > 0)
                {
                    return Bounded(names[0]);
                }
            }
        }

        return null;
    }

    private ContainerInfo? FromDocker(string id)
    {
        using JsonDocument? document = Read(_file, Path.Combine(_root, "var/lib/docker/containers", id, "config.v2.json"));
        if (document is null)
        {
            return null;
        }

        JsonElement labels = Member(Member(document.RootElement, "Config"), "Labels");
        string? pod = Text(labels, "io.kubernetes.pod.uid");
        TellPod(pod, Text(labels, "io.kubernetes.pod.name"), Text(labels, "io.kubernetes.pod.namespace"));
        string? name = Text(labels, "io.kubernetes.container.name") ?? Text(document.RootElement, "Name")?.TrimStart('/');
        return new ContainerInfo(id, name, "docker", pod);
    }

    private void TellPod(string? uid, string? name, string? space)
    {
        if (uid is not null && name is not null && space is not null)
        {
            _pods.Put(new PodInfo(uid, name, space));
        }
    }

    private JsonDocument? Read(FileText file, string path)
    {
        Absence? absent = file.Read(path);
        if (absent is null)
        {
            try
            {
                return JsonDocument.Parse(file.Memory);
            }
            catch (JsonException)
            {
                // A file caught while it is being written looks the same; it is asked for again.
                absent = Absence.Malformed;
            }
        }

        if (absent != Absence.NotPresent)
        {
            _faults.Note("names of containers", absent.Value, path, "containers are shown by their ids; let the agent read the runtimes' directories (JSON of at most 1 MiB, lists of 8 MiB)");
        }

        return null;
    }

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement member) ? member : default;

    private static string? Text(JsonElement element, string name) => Bounded(Member(element, name));

    /// <summary>A string of a plausible length, else null. Strings that are no valid UTF-16 count as absent.</summary>
    private static string? Bounded(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            return element.GetString() is { Length: > 0 and <= NameLimit } text ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
