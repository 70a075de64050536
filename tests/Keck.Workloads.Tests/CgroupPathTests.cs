using System.Globalization;
using System.Text;
using Keck.Tests;

namespace Keck.Workloads.Tests;

public sealed class CgroupPathTests
{
    private static string Folder => Repository.PathOf("tests", "fixtures", "workloads", "cgroup-paths");

    /// <summary>Every form of path we know of, and what it means. KECK_UPDATE_GOLDEN=1 writes the answers anew.</summary>
    [Fact]
    public void Parse_EveryKnownForm_MatchesGolden()
    {
        var actual = new StringBuilder();
        foreach (string line in File.ReadAllLines(Path.Combine(Folder, "paths.txt")))
        {
            if (line.StartsWith('/'))
            {
                CgroupPlace place = CgroupPath.Parse(line);
                actual.AppendLine(line).AppendLine(
                    CultureInfo.InvariantCulture,
                    $"  container={place.Container ?? "-"} pod={place.PodUid ?? "-"} runtime={place.Runtime ?? "-"} monitor={place.Monitor}");
            }
            else
            {
                actual.AppendLine(line);
            }
        }

        string golden = Path.Combine(Folder, "places.golden.txt");
        if (Environment.GetEnvironmentVariable("KECK_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(golden, actual.ToString());
        }

        Assert.Equal(File.ReadAllText(golden), actual.ToString());
    }

    [Theory]
    [InlineData("/../../system.slice/a.service", "/system.slice/a.service")]
    [InlineData("/..", "/")]
    [InlineData("/..a/b", "/..a/b")]
    [InlineData("/", "/")]
    public void WithoutParents_PathOutsideTheNamespace_DropsThem(string path, string expected) =>
        Assert.Equal(expected, CgroupPath.WithoutParents(path).ToString());

    [Fact]
    public void Parse_RandomCutsOfRealPaths_NeverThrowsNorInventsAnId()
    {
        string[] paths = [.. File.ReadAllLines(Path.Combine(Folder, "paths.txt")).Where(line => line.StartsWith('/'))];
        foreach (string path in paths)
        {
            for (int cut = 0; cut <= path.Length; cut++)
            {
                CgroupPlace place = CgroupPath.Parse(path.AsSpan(0, cut));
                Assert.True(place.Container is null || path.Contains(place.Container, StringComparison.Ordinal));
                Assert.True(place.PodUid is null or { Length: 32 or 36 });
            }
        }
    }
}
