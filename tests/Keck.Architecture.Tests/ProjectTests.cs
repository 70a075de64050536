using Keck.Tests;

namespace Keck.Architecture.Tests;

public sealed class ProjectTests
{
    [Fact]
    public void References_EveryProject_OnlyWhatTheTableAllows() =>
        Rule.Holds(Tree.Projects.SelectMany(ProjectRules.Edges));

    [Fact]
    public void References_EveryEdgeOfTheTable_IsThere() =>
        Rule.Holds(ProductMap.Projects.SelectMany(entry => ProjectRules.UnusedEdges(entry, Project(entry))));

    [Fact]
    public void Edges_ForbiddenReference_IsFound()
    {
        ProjectFile bad = ProjectFile.Parse("host-agent/Power/Keck.Power.csproj", """<Project><ItemGroup><ProjectReference Include="..\..\agent\Keck.Agent.csproj" /></ItemGroup></Project>""");
        Assert.Equal(["host-agent/Power/Keck.Power.csproj: may not know Keck.Agent"], ProjectRules.Edges(bad));
    }

    [Fact]
    public void Edges_UnknownProject_IsFound() =>
        Assert.Single(ProjectRules.Edges(ProjectFile.Parse("extra/Keck.Extra.csproj", "<Project />")));

    [Fact]
    public void Edges_TestsOfALowerProject_MayNotReachUp() =>
        Assert.Single(ProjectRules.Edges(ProjectFile.Parse("t/Keck.Metering.Tests.csproj", """<Project><ProjectReference Include="../Keck.Agent.csproj" /></Project>""")));

    [Fact]
    public void UnusedEdges_TableSaysMore_IsFound() =>
        Assert.Equal(4, ProjectRules.UnusedEdges(ProductMap.Projects.Single(p => p.Name == "Keck.Agent"), ProjectFile.Parse("agent/Keck.Agent.csproj", "<Project />")).Count());

    [Fact]
    public void Table_Edges_MakeNoCircle()
    {
        // Listed from the bottom up: a project knows only those above it in the table.
        for (int i = 0; i < ProductMap.Projects.Length; i++)
        {
            Assert.Subset(ProductMap.Projects.Take(i).Select(project => project.Name).ToHashSet(), ProductMap.Projects[i].Knows.ToHashSet());
        }
    }

    [Fact]
    public void Table_Folders_HoldTheProjects() =>
        Rule.Holds(ProductMap.Projects.Select(entry => entry.File).Except(Tree.Projects.Select(project => project.Path)));

    [Fact]
    public void Picture_Architecture_ShowsTheTable()
    {
        // KECK_UPDATE_GOLDEN=1 draws it again.
        string text = Tree.File("docs/architecture.md").Text;
        int begin = text.IndexOf(ProductMap.PictureBegin, StringComparison.Ordinal) + ProductMap.PictureBegin.Length + 1;
        int end = text.IndexOf(ProductMap.PictureEnd, StringComparison.Ordinal);
        Assert.InRange(begin, ProductMap.PictureBegin.Length + 1, end);
        Golden.Equal(string.Concat(text.AsSpan(0, begin), ProductMap.Picture(), text.AsSpan(end)), "docs", "architecture.md");
    }

    [Fact]
    public void Purity_EveryProject_AsTheTableSays() =>
        Rule.Holds(ProductMap.Projects.SelectMany(entry => ProjectRules.Purity(entry, Project(entry))));

    [Theory]
    [InlineData("Keck.Metering", "<Project />")]
    [InlineData("Keck.Power", """<Project><Import Project="../../eng/Pure.props" /></Project>""")]
    [InlineData("Keck.Metering", """<Project><Import Project="../eng/Pure.props" /><PackageReference Include="X" /></Project>""")]
    public void Purity_BadProject_IsFound(string name, string xml) =>
        Assert.Single(ProjectRules.Purity(ProductMap.Projects.Single(p => p.Name == name), ProjectFile.Parse("x.csproj", xml)));

    [Fact]
    public void Tests_EveryProductProject_HasItsTestsProjectThatKnowsIt()
    {
        foreach (ProductProject entry in ProductMap.Projects)
        {
            ProjectFile? tests = Tree.Projects.SingleOrDefault(project => project.Path == $"tests/{entry.Tests}/{entry.Tests}.csproj");
            Assert.True(tests is not null, $"{entry.Name} has no tests/{entry.Tests}");
            Assert.Contains(entry.Name, tests.References);
            Assert.Contains("Test.props", tests.Imports);
            Assert.True(Tree.Sources($"tests/{entry.Tests}").Any(), $"tests/{entry.Tests} holds no test");
        }
    }

    [Fact]
    public void Solution_EveryProject_IsInIt()
    {
        string solution = Tree.File("Keck.Appliance.sln").Text.Replace('\\', '/');
        Assert.All(Tree.Projects, project => Assert.Contains($"\"{project.Path}\"", solution));
    }

    [Fact]
    public void Versions_EveryPackage_IsCentral() =>
        Rule.Holds(ProjectRules.Versions(
            [.. Tree.Projects, Shared("Directory.Build.props"), Shared("eng/Test.props")],
            Shared("Directory.Packages.props"),
            [.. Tree.Texts.Where(file => file.Path.EndsWith("packages.lock.json", StringComparison.Ordinal)).Select(file => file.Text)]));

    [Theory]
    [InlineData("""<Project><PackageReference Include="A" Version="1" /></Project>""")]
    [InlineData("""<Project><PackageReference Include="A" VersionOverride="1" /></Project>""")]
    [InlineData("""<Project><PackageReference Include="A" /><PackageReference Include="B" /></Project>""")]
    [InlineData("<Project />")]
    public void Versions_BadProject_IsFound(string xml)
    {
        ProjectFile central = ProjectFile.Parse("Directory.Packages.props", """<Project><PackageVersion Include="A" Version="1" /></Project>""");
        Assert.Single(ProjectRules.Versions([ProjectFile.Parse("x.csproj", xml)], central, ["{}"]));
    }

    [Fact]
    public void Versions_PinnedBelowAnotherPackage_IsUsed()
    {
        ProjectFile central = ProjectFile.Parse("Directory.Packages.props", """<Project><PackageVersion Include="A" Version="1" /></Project>""");
        Assert.Empty(ProjectRules.Versions([], central, ["""{ "A": { "type": "CentralTransitive" } }"""]));
    }

    private static ProjectFile Project(ProductProject entry) => Tree.Projects.Single(project => project.Path == entry.File);

    private static ProjectFile Shared(string path) => ProjectFile.Parse(path, Tree.File(path).Text);
}
