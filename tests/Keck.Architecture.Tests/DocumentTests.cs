using Keck.Tests;

namespace Keck.Architecture.Tests;

public sealed class DocumentTests
{
    private static IEnumerable<TextFile> Documents => Tree.Texts.Where(file => file.Path.EndsWith(".md", StringComparison.Ordinal));

    [Fact]
    public void Links_EveryDocument_LeadSomewhere() =>
        Rule.Holds(Documents.SelectMany(document => DocumentRules.DeadLinks(document, path => Path.Exists(Repository.PathOf(path)))));

    [Fact]
    public void Tests_NamedInDocuments_Exist()
    {
        TextFile[] tests = [.. Tree.Sources("tests")];
        Rule.Holds(Documents.SelectMany(document => DocumentRules.UnknownTests(document, tests)));
    }

    [Fact]
    public void Decisions_EveryRecord_HasItsParts()
    {
        TextFile[] records = [.. Documents.Where(document => document.Path.StartsWith("docs/adr/0", StringComparison.Ordinal))];
        Assert.NotEmpty(records);
        foreach (TextFile record in records)
        {
            Assert.All(["Status", "Context", "Decision", "Consequences", "Energy and overhead"], part => Assert.Contains($"**{part}.**", record.Text));
            Assert.Matches($"^# {Path.GetFileName(record.Path)[..4]} ", record.Text);
        }

        Assert.Distinct(records.Select(record => Path.GetFileName(record.Path)[..4]));
    }
}
