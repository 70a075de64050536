namespace Keck.Architecture.Tests;

/// <summary>Every rule finds what it is there to find, and nothing else.</summary>
public sealed class SourceRulesTests
{
    [Theory]
    [InlineData("class A { unsafe void F() { } }", 1)]
    [InlineData("// unsafe\nclass A { string S => \"unsafe\"; /* unsafe */ }", 0)]
    [InlineData("class A { string S => @\"a\\\"; unsafe int* P; string T => \"\"\"x \"unsafe\" \"\"\"; }", 1)]
    public void Unsafe_Source_FindsCodeOnly(string source, int found) =>
        Assert.Equal(found, SourceRules.Unsafe(new TextFile("agent/A.cs", source)).Count());

    [Fact]
    public void Unsafe_UnderInterop_IsAllowed() =>
        Assert.Empty(SourceRules.Unsafe(new TextFile("host-agent/Bpf/Interop/A.cs", "unsafe class A { }")));

    [Theory]
    [InlineData("void F() { unsafe { } }", 1)]
    [InlineData("// SAFETY: the buffer is ours.\nunsafe\n{ }", 0)]
    public void UnjustifiedUnsafe_Block_NeedsItsComment(string source, int found) =>
        Assert.Equal(found, SourceRules.UnjustifiedUnsafe(new TextFile("host-agent/Bpf/Interop/A.cs", source)).Count());

    [Fact]
    public void Pragmas_Disable_IsFound() =>
        Assert.Single(SourceRules.Pragmas(new TextFile("a.cs", "#pragma warning disable CA1000\nclass A { }")));

    [Theory]
    [InlineData("await Task.Delay(5);", 1)]
    [InlineData("Thread.Sleep(5);", 1)]
    [InlineData("// no Thread.Sleep here\nDelay(5);", 0)]
    public void Sleeps_Source_Finds(string source, int found) =>
        Assert.Equal(found, SourceRules.Sleeps(new TextFile("a.cs", source)).Count());

    [Theory]
    [InlineData("[LoggerMessage(EventId = 1001, Message = \"a) ]\")] void A(); [LoggerMessage(EventId = 1002)] void B();", 0)]
    [InlineData("[LoggerMessage(EventId = 1001)] void A(); [LoggerMessage(EventId = 1001)] void B();", 1)]
    [InlineData("[LoggerMessage(EventId = 2001)] void A();", 1)]
    [InlineData("[LoggerMessage(Level = LogLevel.Error)] void A();", 1)]
    public void EventIds_Source_Finds(string source, int found) =>
        Assert.Equal(found, SourceRules.EventIds([new TextFile("a.cs", source)], 1000).Count());

    [Fact]
    public void EventIds_AssemblyWithoutRange_MayNotLog() =>
        Assert.Single(SourceRules.EventIds([new TextFile("a.cs", "[LoggerMessage(EventId = 1)] void A();")], null));

    [Theory]
    [InlineData("namespace N; class A { class Inner { } }", 0)]
    [InlineData("namespace N; class A { } class B { }", 1)]
    [InlineData("namespace N; sealed record A(int X); public readonly record struct B(int Y); enum C { D }", 0)]
    [InlineData("namespace N; class A<T> where T : struct { } struct B { }", 0)]
    [InlineData("namespace N; class B { }", 1)]
    [InlineData("namespace N; record A; interface B { }", 1)]
    [InlineData("using System; [assembly: X]", 0)]
    public void OneTypePerFile_Source_Finds(string source, int found) =>
        Assert.Equal(found, SourceRules.OneTypePerFile(new TextFile("agent/A.cs", source)).Count());

    [Fact]
    public void MachinePaths_Text_Finds()
    {
        string[] bad = ["see /home" + "/ann/keck/", "at /wor" + "k/keck", "in C:" + "\\Users\\ann", "/root" + "/.dotnet", "/tmp" + "/wt/x"];
        Assert.All(bad, text => Assert.Single(SourceRules.MachinePaths(new TextFile("a.md", text))));
        Assert.Empty(SourceRules.MachinePaths(new TextFile("a.md", "/proc/stat /sys/class/powercap docs/wor" + "k/x ~/wor" + "k/x /tmp/trace.ndjson /home")));
    }

    [Fact]
    public void RegistryHosts_Text_Finds()
    {
        string[] bad = ["https://api.nuget" + ".org/v3", "registry.npmjs" + ".org", "deb.debian" + ".org"];
        Assert.All(bad, text => Assert.Single(SourceRules.RegistryHosts(new TextFile("a.md", text))));
        Assert.Empty(SourceRules.RegistryHosts(new TextFile("a.md", "the NuGet packages come from your NuGet source")));
    }

    [Theory]
    [InlineData("help: ## what\n\techo\n")]
    [InlineData("demo: ## it\n\techo\n")]
    [InlineData("")]
    public void Targets_Incomplete_IsFound(string makefile) =>
        Assert.NotEmpty(MakeRules.Targets(makefile));

    [Fact]
    public void Targets_HelpFirstAndAllTold_IsRight()
    {
        IEnumerable<string> rules = MakeRules.Promised.Select(target => $".PHONY: {target}\n{target}: other ## does {target}\n\techo\n");
        Assert.Empty(MakeRules.Targets(string.Concat(rules)));
        Assert.Single(MakeRules.Targets(string.Concat(rules.Reverse())));
        Assert.Single(MakeRules.Targets(string.Concat(rules).Replace("## does bpf", "", StringComparison.Ordinal)));
        Assert.Single(MakeRules.Targets(string.Concat(rules).Replace(".PHONY: bpf", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void DeadLinks_Document_Finds()
    {
        TextFile document = new("docs/a.md", "[b](b.md) [c](../c.md#part) [d](https://example.org/d) [e](#e) [f](missing.md)");
        Assert.Equal(["docs/a.md:1: there is no missing.md"], DocumentRules.DeadLinks(document, path => !path.Contains("missing", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("`SplitTests.Split_Zero_GetsNothing`", 0)]
    [InlineData("`SplitTests`", 0)]
    [InlineData("`SplitTests.Split_One_GetsAll`", 1)]
    [InlineData("`OtherTests.Split_Zero_GetsNothing`", 1)]
    [InlineData("tests/Keck.Split.Tests", 0)]
    public void UnknownTests_Document_Finds(string text, int found)
    {
        TextFile tests = new("tests/K/SplitTests.cs", "class SplitTests { void Split_Zero_GetsNothing() { } }");
        Assert.Equal(found, DocumentRules.UnknownTests(new TextFile("docs/a.md", text), [tests]).Count());
    }
}
