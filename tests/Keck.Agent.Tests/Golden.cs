using Keck.Tests;

namespace Keck.Agent.Tests;

/// <summary>Compares with a file beside the tests; <c>KECK_UPDATE_GOLDEN=1</c> rewrites it.</summary>
internal static class Golden
{
    internal static void Check(string name, string actual) =>
        CheckFile(Repository.PathOf("tests", "Keck.Agent.Tests", "goldens", name), actual);

    internal static void CheckFile(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable("KECK_UPDATE_GOLDEN") == "1")
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Assert.True(File.Exists(path), $"no golden file {path}: run with KECK_UPDATE_GOLDEN=1 and look at it");
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
