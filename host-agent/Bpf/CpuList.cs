using System.Globalization;

namespace Keck.Bpf;

/// <summary>The kernel's list form of CPU sets, such as <c>0-3,8,10-11</c>.</summary>
internal static class CpuList
{
    /// <summary>Highest CPU of the list in a file + 1; <paramref name="otherwise"/> where there is none to read.</summary>
    internal static int Read(string file, int otherwise)
    {
        if (!File.Exists(file))
        {
            return otherwise;
        }

        int limit = 0;
        ReadOnlySpan<char> text = File.ReadAllText(file).AsSpan().Trim();
        foreach (Range range in text.SplitAny(',', '-'))
        {
            if (int.TryParse(text[range], NumberStyles.None, CultureInfo.InvariantCulture, out int cpu))
            {
                limit = Math.Max(limit, cpu + 1);
            }
        }

        return limit == 0 ? otherwise : limit;
    }

    /// <summary>Marks the CPUs of a list; garbage marks nothing further. Allocates nothing.</summary>
    internal static void Mark(ReadOnlySpan<byte> list, Span<bool> cpus)
    {
        cpus.Clear();
        int first = -1, value = -1;
        for (int i = 0; i <= list.Length; i++)
        {
            byte symbol = i < list.Length ? list[i] : (byte)'\n';
            if (symbol is >= (byte)'0' and <= (byte)'9')
            {
                value = Math.Min((Math.Max(value, 0) * 10) + (symbol - '0'), 1 << 20);
            }
            else if (symbol == '-' && value >= 0)
            {
                first = value;
                value = -1;
            }
            else
            {
                for (int cpu = first < 0 ? value : first; cpu >= 0 && cpu <= value && cpu < cpus.Length; cpu++)
                {
                    cpus[cpu] = true;
                }

                first = value = -1;
                if (symbol != ',')
                {
                    return;
                }
            }
        }
    }
}
