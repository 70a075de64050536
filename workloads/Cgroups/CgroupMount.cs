using System.Text;
using Keck.Metering;
using Keck.Workloads.Interop;

namespace Keck.Workloads;

/// <summary>Where the cgroup v2 hierarchy is.</summary>
/// <param name="Root">Its directory; null where the host has none.</param>
/// <param name="Whole">Whether it is the host's only hierarchy; on hybrid hosts it holds no controllers, and mostly only the root.</param>
internal readonly record struct CgroupMount(string? Root, bool Whole)
{
    private const int MountInfoLimit = 4 * 1024 * 1024;

    /// <summary>By option, else from <c>self/mountinfo</c>, else by the usual places below the sysfs root.</summary>
    internal static CgroupMount Find(WorkloadOptions options)
    {
        string? root = options.CgroupRoot;
        if (root is null && options is { ProcRoot: "/proc", SysRoot: "/sys" })
        {
            var file = new FileText(MountInfoLimit);
            Absence? absent = file.Read("/proc/self/mountinfo");
            root = absent is null ? FromMountInfo(file.Content) : null;
        }

        if (root is null)
        {
            string usual = Path.Combine(options.SysRoot, "fs/cgroup");
            string unified = Path.Combine(usual, "unified");
            root = File.Exists(Path.Combine(usual, "cgroup.controllers")) ? usual : Directory.Exists(unified) ? unified : null;
        }

        return new CgroupMount(root, root is not null && Path.GetFileName(root) != "unified");
    }

    /// <summary>The mount point of the first <c>cgroup2</c> line; the one of the hierarchy's root goes first.</summary>
    internal static string? FromMountInfo(ReadOnlySpan<byte> content)
    {
        string? found = null;
        foreach (Range range in content.Split((byte)'\n'))
        {
            // 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw
            ReadOnlySpan<byte> line = content[range];
            if (line.IndexOf(" - cgroup2 "u8) < 0)
            {
                continue;
            }

            string[] fields = Encoding.UTF8.GetString(line).Split(' ');
            if (fields.Length > 5 && (found is null || fields[3] == "/"))
            {
                found = fields[4].Replace("\\040", " ", StringComparison.Ordinal);
                if (fields[3] == "/")
                {
                    return found;
                }
            }
        }

        return found;
    }
}
