using System.Text.RegularExpressions;

namespace Keck.Architecture.Tests;

/// <summary>Rules about the one entry point.</summary>
internal static partial class MakeRules
{
    internal static readonly string[] Promised = ["help", "demo", "test", "quick", "bench", "format", "bpf", "publish"];

    /// <summary>The targets people are told about exist, are phony, say what they do, and <c>help</c> comes first.</summary>
    internal static IEnumerable<string> Targets(string makefile)
    {
        Match[] rules = [.. Rule().Matches(makefile).Cast<Match>()];
        if (rules.Length == 0 || rules[0].Groups["name"].Value != "help")
        {
            yield return "Makefile: help is not the first target";
        }

        foreach (string target in Promised)
        {
            Match? rule = rules.FirstOrDefault(rule => rule.Groups["name"].Value == target);
            if (rule is null)
            {
                yield return $"Makefile: there is no target {target}";
            }
            else if (rule.Groups["help"].Value.Length == 0)
            {
                yield return $"Makefile: {target} does not say what it does (## …)";
            }

            if (!Regex.IsMatch(makefile, $@"^\.PHONY:.*\b{target}\b", RegexOptions.Multiline))
            {
                yield return $"Makefile: {target} is not phony";
            }
        }
    }

    [GeneratedRegex(@"^(?<name>[a-z][a-z-]*):(?!=)[^#\n]*(?:##\s*(?<help>.+))?$", RegexOptions.Multiline)]
    private static partial Regex Rule();
}
