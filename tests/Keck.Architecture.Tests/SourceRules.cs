using System.Globalization;
using System.Text.RegularExpressions;

namespace Keck.Architecture.Tests;

/// <summary>Rules about source text. Each gives one sentence for each thing that is wrong.</summary>
internal static partial class SourceRules
{
    /// <summary>Files that hold a family of small types, and why.</summary>
    internal static readonly Dictionary<string, string> Families = new()
    {
        ["metering/Observations/Samples.cs"] = "the record types of one observation, read together",
    };

    /// <summary>Pointers live under Interop/ only.</summary>
    internal static IEnumerable<string> Unsafe(TextFile file) =>
        file.Path.Contains("/Interop/", StringComparison.Ordinal)
            ? []
            : UnsafeWord().Matches(file.Code).Select(match => $"{file.At(match.Index)}: unsafe outside an Interop folder");

    /// <summary>A block in which the compiler does not watch says why it is safe, in the lines above it.</summary>
    internal static IEnumerable<string> UnjustifiedUnsafe(TextFile file)
    {
        string[] lines = file.Text.Split('\n');
        foreach (Match match in UnsafeBlock().Matches(file.Code))
        {
            int line = CSharpText.Line(file.Code, match.Index) - 1;
            if (!lines[Math.Max(0, line - 4)..(line + 1)].Any(above => above.Contains("SAFETY:", StringComparison.Ordinal)))
            {
                yield return $"{file.At(match.Index)}: an unsafe block without a SAFETY comment";
            }
        }
    }

    /// <summary>Warnings are silenced by an attribute that says why, never by a pragma.</summary>
    internal static IEnumerable<string> Pragmas(TextFile file) =>
        Pragma().Matches(file.Code).Select(match => $"{file.At(match.Index)}: use [SuppressMessage(…, Justification = …)]");

    /// <summary>Tests wait for conditions, not for time.</summary>
    internal static IEnumerable<string> Sleeps(TextFile file) =>
        Sleep().Matches(file.Code).Select(match => $"{file.At(match.Index)}: waits for time; wait for a condition");

    /// <summary>Event ids are named, unique, and in the assembly's range.</summary>
    internal static IEnumerable<string> EventIds(IEnumerable<TextFile> files, int? first)
    {
        Dictionary<int, string> seen = [];
        foreach (TextFile file in files)
        {
            foreach (Match match in LoggerMessage().Matches(file.Code))
            {
                Match number = EventId().Match(match.Value);
                string place = file.At(match.Index);
                if (!number.Success)
                {
                    yield return $"{place}: a log message without EventId = …";
                    continue;
                }

                int id = int.Parse(number.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
                if (first is null || id < first || id > first + 999)
                {
                    yield return $"{place}: event {id} is outside the assembly's range ({(first is { } from ? $"{from}–{from + 999}" : "none")})";
                }

                if (!seen.TryAdd(id, place))
                {
                    yield return $"{place}: event {id} is taken by {seen[id]}";
                }
            }
        }
    }

    /// <summary>One class, interface or record class a file, named as the file; the enums and small structs it speaks in may stand beside it.</summary>
    internal static IEnumerable<string> OneTypePerFile(TextFile file)
    {
        string top = CSharpText.TopLevel(file.Code);
        Match[] types = [.. TypeDeclaration().Matches(top).Cast<Match>()];
        string[] large = [.. types.Where(type => type.Groups[1].Value is not ("struct" or "enum") && !type.Value.Contains("record struct", StringComparison.Ordinal)).Select(Name).Distinct()];
        if (Families.ContainsKey(file.Path) || types.Length == 0)
        {
            yield break;
        }

        if (large.Length > 1)
        {
            yield return $"{file.Path}: holds {string.Join(", ", large)}: one to a file";
        }

        string name = Path.GetFileNameWithoutExtension(file.Path).Split('.')[0];
        if (!types.Select(Name).Contains(name))
        {
            yield return $"{file.Path}: holds {string.Join(", ", types.Select(Name))} and is named after none";
        }
    }

    /// <summary>Nothing committed names a place on the machine where it was made.</summary>
    internal static IEnumerable<string> MachinePaths(TextFile file) =>
        MachinePath().Matches(file.Text).Select(match => $"{file.At(match.Index)}: '{match.Value}' is a path of somebody's machine");

    /// <summary>Where packages come from is the builder's business.</summary>
    internal static IEnumerable<string> RegistryHosts(TextFile file) =>
        RegistryHost().Matches(file.Text).Select(match => $"{file.At(match.Index)}: '{match.Value}' names a package registry");

    private static string Name(Match type) => type.Groups[2].Value;

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex UnsafeWord();

    [GeneratedRegex(@"\bunsafe\s*\{")]
    private static partial Regex UnsafeBlock();

    [GeneratedRegex(@"#pragma\s+warning\s+disable")]
    private static partial Regex Pragma();

    [GeneratedRegex(@"\bThread\s*\.\s*Sleep\b|\bTask\s*\.\s*Delay\s*\(")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\[LoggerMessage\b[^\]]*\]")]
    private static partial Regex LoggerMessage();

    [GeneratedRegex(@"\bEventId\s*=\s*(\d+)")]
    private static partial Regex EventId();

    [GeneratedRegex(@"\b(?:record\s+)?(class|struct|interface|enum|record)\s+(?!where\b|struct\b|class\b)(\w+)")]
    private static partial Regex TypeDeclaration();

    // The brackets keep the patterns from finding themselves.
    [GeneratedRegex(@"(?<![\w.~}/-])/(?:[h]ome|[U]sers)/[\w.-]+/|(?<![\w.~}/-])/[w]ork/[\w.-]+|(?<![\w.~}/-])/[r]oot/\.[\w-]+|(?<![\w.~}/-])/[t]mp/[w]t/|\b[C]:\\[U]sers\b")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\b[n]uget\.org\b|\bpkgs\.dev\.[a]zure\b|\b[n]pmjs\.(?:org|com)\b|\b[p]ypi\.org\b|\b[p]ythonhosted\.org\b|\b[c]rates\.io\b|\bdeb\.[d]ebian\.org\b|\barchive\.[u]buntu\.com\b|\bproxy\.[g]olang\.org\b|\b[a]rtifactory\b", RegexOptions.IgnoreCase)]
    private static partial Regex RegistryHost();
}
