using System.Text.RegularExpressions;

namespace Keck.Architecture.Tests;

/// <summary>Rules about the documentation: what it points at exists.</summary>
internal static partial class DocumentRules
{
    /// <summary>Relative links lead to a file or a folder.</summary>
    internal static IEnumerable<string> DeadLinks(TextFile document, Func<string, bool> exists)
    {
        string folder = Path.GetDirectoryName(document.Path) ?? "";
        foreach (Match link in Link().Matches(document.Text))
        {
            string target = link.Groups[1].Value;
            if (!target.Contains("://", StringComparison.Ordinal) && !target.StartsWith('#') && !target.StartsWith("mailto:", StringComparison.Ordinal)
                && !exists(Path.Combine(folder, target.Split('#')[0])))
            {
                yield return $"{document.At(link.Index)}: there is no {target}";
            }
        }
    }

    /// <summary>A test that a document names exists: class and method.</summary>
    internal static IEnumerable<string> UnknownTests(TextFile document, IReadOnlyList<TextFile> tests)
    {
        foreach (Match name in TestName().Matches(document.Text))
        {
            (string type, string method) = (name.Groups[1].Value, name.Groups[2].Value);
            TextFile? file = tests.FirstOrDefault(file => Path.GetFileName(file.Path) == type + ".cs");
            if (file is null)
            {
                yield return $"{document.At(name.Index)}: there are no {type}";
            }
            else if (method.Length > 0 && !Regex.IsMatch(file.Code, $@"\b{method}\s*\("))
            {
                yield return $"{document.At(name.Index)}: {type} has no {method}";
            }
        }
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(\w+Tests)(?:\.(\w+))?`")]
    private static partial Regex TestName();
}
