namespace Keck.Tests;

/// <summary>Compares text with a file of the repository. <c>KECK_UPDATE_GOLDEN=1</c> rewrites the file instead; CI never sets it.</summary>
internal static class Golden
{
    /// <summary>Fails at the first line that differs.</summary>
    /// <param name="text">What came out.</param>
    /// <param name="parts">The golden file's path below the repository root, in parts.</param>
    internal static void Equal(string text, params string[] parts)
    {
        string path = Repository.PathOf(parts);
        if (Environment.GetEnvironmentVariable("KECK_UPDATE_GOLDEN") == "1")
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
            return;
        }

        Assert.True(File.Exists(path), $"{path} is missing: run with KECK_UPDATE_GOLDEN=1, read it and commit it");
        string[] expected = File.ReadAllText(path).Split('\n');
        string[] actual = text.Split('\n');
        for (int i = 0; i < Math.Max(expected.Length, actual.Length); i++)
        {
            string? wanted = i < expected.Length ? expected[i] : null;
            string? got = i < actual.Length ? actual[i] : null;
            Assert.True(wanted == got, $"{path}:{i + 1}\n  golden: {wanted ?? "(end)"}\n  now:    {got ?? "(end)"}");
        }
    }
}
