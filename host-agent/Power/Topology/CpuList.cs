using System.Collections.Immutable;
using System.Globalization;

namespace Keck.Power;

/// <summary>The kernel's lists of CPUs, such as <c>0-3,8,10-11</c>.</summary>
internal static class CpuList
{
    /// <summary>No kernel is built for more (NR_CPUS is 8,192 at most on x86); a number above it is garbage.</summary>
    internal const int Limit = 65_536;

    /// <summary>The CPUs of a list in rising order; null for text that is none; empty text is an empty list.</summary>
    internal static ImmutableArray<int>? Parse(string text)
    {
        SortedSet<int> cpus = [];
        foreach (string part in text.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !TryNumber(ends[0], out int first) || !TryNumber(ends[^1], out int last) || last < first)
            {
                return null;
            }

            for (int cpu = first; cpu <= last; cpu++)
            {
                _ = cpus.Add(cpu);
            }
        }

        return [.. cpus];
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < Limit;
}
