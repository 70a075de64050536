namespace Keck.Rigs.Tests;

/// <summary>Words for sh(1).</summary>
internal static class Shell
{
    /// <summary>One word, whatever is in it.</summary>
    internal static string Quote(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
