using System.Text.RegularExpressions;

namespace Keck.Architecture.Tests;

public sealed partial class SourceTests
{
    private static IEnumerable<TextFile> Product => ProductMap.Projects.SelectMany(entry => Tree.Sources(entry.Folder));

    [Fact]
    public void Unsafe_ProductAndTests_OnlyUnderInterop()
    {
        Rule.Holds(Product.Concat(Tree.Sources("tests")).SelectMany(SourceRules.Unsafe));
        foreach (ProductProject entry in ProductMap.Projects)
        {
            bool interop = Tree.Sources(entry.Folder).Any(file => file.Path.Contains("/Interop/", StringComparison.Ordinal));
            Assert.True(interop || !Tree.Projects.Single(project => project.Path == entry.File).AllowsUnsafe, $"{entry.Name} allows unsafe blocks and has no Interop folder");
        }
    }

    [Fact]
    public void Unsafe_Blocks_SayWhyTheyAreSafe() =>
        Rule.Holds(Product.SelectMany(SourceRules.UnjustifiedUnsafe));

    [Fact]
    public void Pragmas_ProductAndTests_None() =>
        Rule.Holds(Product.Concat(Tree.Sources("tests")).SelectMany(SourceRules.Pragmas));

    [Fact]
    public void Sleeps_Tests_None() =>
        Rule.Holds(Tree.Sources("tests").SelectMany(SourceRules.Sleeps));

    [Fact]
    public void EventIds_EveryAssembly_UniqueAndInRange() =>
        Rule.Holds(ProductMap.Projects.SelectMany(entry => SourceRules.EventIds(Tree.Sources(entry.Folder), entry.FirstEventId)));

    [Fact]
    public void EventIds_Ranges_DoNotMeet() =>
        Assert.Distinct(ProductMap.Projects.Select(entry => entry.FirstEventId / 1000).Where(thousand => thousand is not null));

    [Fact]
    public void OneTypePerFile_Product_Holds() =>
        Rule.Holds(Product.SelectMany(SourceRules.OneTypePerFile));

    [Fact]
    public void OneTypePerFile_Exceptions_AreStillThere() =>
        Rule.Holds(SourceRules.Families.Keys.Except(Product.Select(file => file.Path)));

    [Fact]
    public void MachinePaths_EveryText_None() =>
        Rule.Holds(Tree.Texts.SelectMany(SourceRules.MachinePaths));

    [Fact]
    public void RegistryHosts_EveryText_None() =>
        Rule.Holds(Tree.Texts.SelectMany(SourceRules.RegistryHosts));

    [Fact]
    public void Licence_EveryKernelSource_SaysTheOneInNotice()
    {
        Match expression = KernelLicence().Match(Tree.File("NOTICE").Text);
        Assert.True(expression.Success, "NOTICE does not give the eBPF sources' SPDX expression");
        Assert.All(
            Tree.Texts.Where(file => file.Path.StartsWith("host-agent/Bpf/kernel/", StringComparison.Ordinal)),
            file => Assert.Contains(expression.Value, file.Text.Split('\n')[0]));
    }

    [Fact]
    public void Makefile_PromisedTargets_Exist() =>
        Rule.Holds(MakeRules.Targets(Tree.File("Makefile").Text));

    [Fact]
    public void Ci_Run_CallsMakeTestOnly()
    {
        string[] commands = [.. Tree.File(".ci/run").Text.Split('\n').Where(line => line.Length > 0 && !line.StartsWith('#'))];
        Assert.Equal("make test", commands[^1]);
        Assert.Single(commands, command => command.Contains("make", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"SPDX-License-Identifier: [\w.-]+ OR [\w.-]+")]
    private static partial Regex KernelLicence();
}
