using System.Buffers;

namespace Keck.Workloads;

/// <summary>
/// The grammar of cgroup paths: kubelet's and the runtimes' names, of both drivers. The deepest pod wins; within it (or outside pods)
/// the first container is the one that owns whatever it nests.
/// </summary>
public static class CgroupPath
{
    private const int ContainerIdLength = 64;
    private const int DashedUidLength = 36;
    private const int StaticUidLength = 32;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    /// <summary>Reads a path such as <c>/kubepods.slice/kubepods-pod1234….slice/cri-containerd-5678….scope</c>.</summary>
    public static CgroupPlace Parse(ReadOnlySpan<char> path)
    {
        string? container = null;
        string? pod = null;
        string? runtime = null;
        bool monitor = false;
        ReadOnlySpan<char> prefix = [];
        // Colon form: "slice:runtime:id" taken literally as one directory's name.
        foreach (Range range in path.SplitAny('/', ':'))
        {
            ReadOnlySpan<char> part = WithoutSuffix(path[range]);
            if (TryPod(part, out string? uid))
            {
                (pod, container, runtime, monitor) = (uid, null, null, false);
            }
            else if (container is null && !monitor && TryContainer(part, out string? id, out ReadOnlySpan<char> before))
            {
                ReadOnlySpan<char> name = before.IsEmpty ? prefix : before;
                monitor = name.EndsWith("conmon");
                runtime = Runtime(name);
                container = monitor ? null : id;
            }

            prefix = part;
        }

        return new CgroupPlace(container, pod, runtime, monitor);
    }

    /// <summary>
    /// Drops the leading <c>/..</c> of a path that lies outside the reader's cgroup namespace: what is above cannot be named from inside.
    /// </summary>
    public static ReadOnlySpan<char> WithoutParents(ReadOnlySpan<char> path)
    {
        while (path.StartsWith("/..") && (path.Length == 3 || path[3] == '/'))
        {
            path = path[3..];
        }

        return path.IsEmpty ? "/" : path;
    }

    private static ReadOnlySpan<char> WithoutSuffix(ReadOnlySpan<char> part) =>
        part.EndsWith(".scope") || part.EndsWith(".slice") ? part[..^6] : part;

    private static bool TryPod(ReadOnlySpan<char> part, out string? uid)
    {
        uid = null;
        ReadOnlySpan<char> tail = default;
        foreach (int length in (ReadOnlySpan<int>)[DashedUidLength, StaticUidLength])
        {
            int at = part.Length - length;
            if (at >= 3 && part[(at - 3)..at] is "pod" && (at == 3 || part[at - 4] == '-') && IsUid(part[at..]))
            {
                tail = part[at..];
                break;
            }
        }

        if (tail.IsEmpty)
        {
            return false;
        }

        uid = tail.ToString().Replace('_', '-');
        return true;
    }

    private static bool IsUid(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            bool dash = text.Length == DashedUidLength && i is 8 or 13 or 18 or 23;
            if (dash ? text[i] is not ('-' or '_') : !char.IsAsciiHexDigitLower(text[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryContainer(ReadOnlySpan<char> part, out string? id, out ReadOnlySpan<char> before)
    {
        id = null;
        before = [];
        int at = part.Length - ContainerIdLength;
        if (at < 0 || (at > 0 && part[at - 1] != '-') || part[at..].ContainsAnyExcept(LowerHex))
        {
            return false;
        }

        id = part[at..].ToString();
        before = at == 0 ? [] : part[..(at - 1)];
        return true;
    }

    private static string? Runtime(ReadOnlySpan<char> prefix) => prefix switch
    {
        "cri-containerd" => "containerd",
        "crio" or "crio-conmon" => "crio",
        "docker" => "docker",
        "libpod" or "libpod-conmon" or "libpod_parent" => "podman",
        _ => null,
    };
}
