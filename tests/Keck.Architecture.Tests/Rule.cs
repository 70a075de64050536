namespace Keck.Architecture.Tests;

/// <summary>Asserts that a rule found nothing, and shows all it found.</summary>
internal static class Rule
{
    internal static void Holds(IEnumerable<string> findings)
    {
        string[] all = [.. findings.Distinct()];
        Assert.True(all.Length == 0, $"{all.Length} found:\n  {string.Join("\n  ", all)}");
    }
}
