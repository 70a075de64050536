using System.Globalization;

namespace Keck.Virt;

/// <summary>The grammar of machines' cgroups: libvirt's with and without systemd, Proxmox's, and a pod's.</summary>
internal static class MachineCgroup
{
    private const int DashedUid = 36;
    private const int StaticUid = 32;

    /// <summary>
    /// The cgroup that holds one machine and nothing else: <c>/machine.slice/machine-qemu\x2d3\x2dweb.scope</c>,
    /// <c>/machine/qemu-3-web.libvirt-qemu</c>, <c>/qemu.slice/100.scope</c>; empty for another path.
    /// </summary>
    internal static ReadOnlySpan<char> Own(ReadOnlySpan<char> path)
    {
        int start = 0;
        ReadOnlySpan<char> parent = [];
        foreach (Range range in path.Split('/'))
        {
            ReadOnlySpan<char> part = path[range];
            start = range.Start.GetOffset(path.Length);
            if (part.StartsWith("machine-qemu") && part.EndsWith(".scope")
                || part.StartsWith("qemu-") && part.EndsWith(".libvirt-qemu")
                || (parent is "qemu.slice" && part.EndsWith(".scope") && !part[..^6].IsEmpty && !part[..^6].ContainsAnyExceptInRange('0', '9')))
            {
                return path[..(start + part.Length)];
            }

            parent = part;
        }

        return [];
    }

    /// <summary>Whether <paramref name="path"/> is <paramref name="group"/> or below it.</summary>
    internal static bool IsWithin(ReadOnlySpan<char> path, ReadOnlySpan<char> group) =>
        !group.IsEmpty && path.StartsWith(group) && (path.Length == group.Length || path[group.Length] == '/');

    /// <summary>What a thread is for by the last part of its cgroup: <c>vcpu0</c>, <c>iothread1</c>, <c>emulator</c>.</summary>
    internal static bool TryRole(ReadOnlySpan<char> path, out Metering.ThreadRole role, out int vcpu)
    {
        ReadOnlySpan<char> last = path[(path.LastIndexOf('/') + 1)..];
        vcpu = 0;
        if (last.StartsWith("vcpu") && int.TryParse(last[4..], NumberStyles.None, CultureInfo.InvariantCulture, out vcpu))
        {
            role = Metering.ThreadRole.Vcpu;
            return true;
        }

        role = last.StartsWith("iothread") && last.Length > 8 && !last[8..].ContainsAnyExceptInRange('0', '9') ? Metering.ThreadRole.Iothread
            : last is "emulator" ? Metering.ThreadRole.Emulator : Metering.ThreadRole.None;
        return role != Metering.ThreadRole.None;
    }

    /// <summary>The UID of the deepest pod in a path, dashes as Kubernetes writes them; null outside pods.</summary>
    internal static string? PodUid(string path)
    {
        string? found = null;
        foreach (string raw in path.Split('/', ':'))
        {
            string part = raw.EndsWith(".slice", StringComparison.Ordinal) ? raw[..^6] : raw;
            foreach (int length in (ReadOnlySpan<int>)[DashedUid, StaticUid])
            {
                int at = part.Length - length;
                if (at >= 3 && part.AsSpan(at - 3, 3) is "pod" && (at == 3 || part[at - 4] == '-')
                    && Guid.TryParseExact(part[at..].Replace('_', '-'), length == DashedUid ? "D" : "N", out _))
                {
                    found = part[at..].Replace('_', '-');
                    break;
                }
            }
        }

        return found;
    }

    /// <summary>The v2 path of a <c>/proc/PID/cgroup</c> file, else the v1 one that tells most: libvirt sets up cpu, systemd its own.</summary>
    internal static string? OfProcess(ReadOnlySpan<byte> file)
    {
        string? best = null;
        int bestRank = int.MaxValue;
        foreach (Range range in file.Split((byte)'\n'))
        {
            string line = System.Text.Encoding.UTF8.GetString(file[range]);
            string[] fields = line.Split(':', 3);
            if (fields.Length < 3 || !fields[2].StartsWith('/'))
            {
                continue;
            }

            int kind = fields[1] switch { "" => 0, "name=systemd" => 1, "cpu" or "cpu,cpuacct" or "cpuacct,cpu" => 2, "cpuset" => 3, "memory" => 4, _ => 5 };
            int rank = (Own(fields[2]).IsEmpty && PodUid(fields[2]) is null ? fields[2].Length > 1 ? 10 : 20 : 0) + kind;
            if (rank < bestRank)
            {
                (best, bestRank) = (fields[2], rank);
            }
        }

        return best;
    }
}
