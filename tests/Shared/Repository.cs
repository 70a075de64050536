using System.Runtime.CompilerServices;

namespace Keck.Tests;

/// <summary>Finds the checkout the test was built from.</summary>
internal static class Repository
{
    /// <summary>The repository root: the folder that holds the solution file.</summary>
    internal static string Root { get; } = Find();

    /// <summary>A path below the root, in parts.</summary>
    internal static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find([CallerFilePath] string here = "")
    {
        for (DirectoryInfo? directory = new FileInfo(here).Directory; directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Keck.Appliance.sln")))
            {
                return directory.FullName;
            }
        }

        throw new InvalidOperationException($"No Keck.Appliance.sln above {here}: run the tests from a checkout.");
    }
}
