using System.Buffers.Text;
using Keck.Metering;
using Keck.Workloads.Interop;

namespace Keck.Workloads;

/// <summary>A process's proportional set size: from <c>smaps_rollup</c> (Linux 4.14), else the sum over <c>smaps</c>.</summary>
internal sealed class PssReader(string procRoot)
{
    private const int RollupLimit = 16 * 1024;
    private const int MapsLimit = 16 * 1024 * 1024;
    private readonly FileText _rollup = new(RollupLimit);
    private FileText? _maps;

    /// <summary>The PSS in KiB; a process without user memory has none (not present).</summary>
    internal Reading<long> Read(int pid)
    {
        Absence? absent = _rollup.Read(procRoot, pid, "smaps_rollup");
        if (absent is null)
        {
            return Sum(_rollup.Content);
        }

        if (absent != Absence.NotPresent)
        {
            return absent.Value;
        }

        _maps ??= new FileText(MapsLimit);
        absent = _maps.Read(procRoot, pid, "smaps");
        return absent is { } reason ? reason : Sum(_maps.Content);
    }

    /// <summary>Σ of the lines <c>Pss:     123 kB</c>.</summary>
    internal static Reading<long> Sum(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty)
        {
            return Absence.NotPresent;
        }

        long sum = -1;
        foreach (Range range in content.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = content[range];
            if (line.StartsWith("Pss:"u8))
            {
                // 2^50 KiB is beyond any address space.
                if (!Utf8Parser.TryParse(line[4..].TrimStart((byte)' '), out long kibibytes, out _) || kibibytes is < 0 or > 1L << 50)
                {
                    return Absence.Malformed;
                }

                sum = Math.Max(sum, 0) + kibibytes;
            }
        }

        return sum < 0 ? Absence.Malformed : sum;
    }
}
