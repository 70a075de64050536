using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Keck.Power;

/// <summary>
/// A guest agent's budget, handed on to a host agent in the same machine as one small text file, which is replaced as a whole:
/// <code>
/// keck-budget 1
/// written 812345678901       CLOCK_MONOTONIC, ns: the writer lived then
/// reached 812301234567       up to when the counters reach, ns
/// vcpu-0 1234567000 1200 3400
/// </code>
/// A counter's line is name, µJ, and the sums of its bounds' widths below and above, µJ.
/// </summary>
public sealed record HandedBudget
{
    /// <summary>Where it lies below the root of the powercap-like tree (<c>/run/keck/sys</c>): no reader of powercap looks there.</summary>
    public const string PathInTree = "keck/budget";

    private const string Head = "keck-budget 1";
    private const int Longest = 64 * 1024;
    private const int MostCounters = 1_024;

    /// <summary>When it was written, CLOCK_MONOTONIC, ns.</summary>
    public required long WrittenNanoseconds { get; init; }

    /// <summary>Up to when its counters reach, CLOCK_MONOTONIC, ns.</summary>
    public required long ReachedNanoseconds { get; init; }

    /// <summary>The counters, in the order of the file.</summary>
    public required ImmutableArray<BudgetCount> Counters { get; init; }

    /// <summary>The file's text.</summary>
    public string Format()
    {
        StringBuilder text = new();
        _ = text.Append(CultureInfo.InvariantCulture, $"{Head}\nwritten {WrittenNanoseconds}\nreached {ReachedNanoseconds}\n");
        foreach (BudgetCount counter in Counters)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"{counter.Name} {counter.Microjoules} {counter.Below} {counter.Above}\n");
        }

        return text.ToString();
    }

    /// <summary>Reads the file's text; null where it is not to be understood, in whole or in part.</summary>
    public static HandedBudget? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] lines = text.Length > Longest ? [] : text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length < 3 || lines.Length > MostCounters + 3 || lines[0] != Head
            || Stamp(lines[1], "written ") is not { } written || Stamp(lines[2], "reached ") is not { } reached)
        {
            return null;
        }

        ImmutableArray<BudgetCount>.Builder counters = ImmutableArray.CreateBuilder<BudgetCount>(lines.Length - 3);
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (string line in lines.AsSpan(3))
        {
            string[] parts = line.Split(' ');
            if (parts.Length != 4 || !names.Add(parts[0]) || Number(parts[1]) is not { } energy || Number(parts[2]) is not { } below || Number(parts[3]) is not { } above)
            {
                return null;
            }

            counters.Add(new BudgetCount(parts[0], energy, below, above));
        }

        return new HandedBudget { WrittenNanoseconds = written, ReachedNanoseconds = reached, Counters = counters.DrainToImmutable() };
    }

    private static long? Stamp(string line, string name) => line.StartsWith(name, StringComparison.Ordinal) ? Number(line.AsSpan(name.Length)) : null;

    private static long? Number(ReadOnlySpan<char> text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;
}
