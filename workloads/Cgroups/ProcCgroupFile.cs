using System.Text;

namespace Keck.Workloads;

/// <summary>Reads <c>/proc/PID/cgroup</c>: one line <c>0::PATH</c> on v2, lines <c>N:CONTROLLERS:PATH</c> on v1, both on hybrid hosts.</summary>
internal static class ProcCgroupFile
{
    // Which hierarchy tells most, best first. The empty name is v2.
    private static readonly string[] Preference = ["", "name=systemd", "cpu", "cpuacct", "cpu,cpuacct", "cpuacct,cpu", "memory", "pids"];

    /// <summary>The path that tells most: one with a pod or a container in it, else one that is not the root.</summary>
    /// <returns>The path, or null for a file that holds no such line.</returns>
    internal static string? BestPath(ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> best = [];
        int bestRank = int.MaxValue;
        foreach (Range range in content.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = content[range];
            int first = line.IndexOf((byte)':');
            int second = first < 0 ? -1 : line[(first + 1)..].IndexOf((byte)':') + first + 1;
            if (second <= first || second + 1 >= line.Length || line[second + 1] != '/')
            {
                continue;
            }

            int rank = Rank(line[(first + 1)..second], line[(second + 1)..]);
            if (rank < bestRank)
            {
                bestRank = rank;
                best = line[(second + 1)..];
            }
        }

        return best.IsEmpty ? null : CgroupPath.WithoutParents(Encoding.UTF8.GetString(best)).ToString();
    }

    private static int Rank(ReadOnlySpan<byte> controllers, ReadOnlySpan<byte> path)
    {
        int order = Preference.Length;
        for (int i = 0; i < Preference.Length; i++)
        {
            if (Ascii.Equals(controllers, Preference[i]))
            {
                order = i;
                break;
            }
        }

        Span<char> text = stackalloc char[512];
        bool told = path.Length <= text.Length && Encoding.UTF8.GetCharCount(path) <= text.Length
            && CgroupPath.Parse(text[..Encoding.UTF8.GetChars(path, text)]) is { Container: not null } or { PodUid: not null };
        int tier = told ? 0 : path.Length > 1 ? 1 : 2;
        return (tier * (Preference.Length + 1)) + order;
    }
}
