namespace Keck.Architecture.Tests;

/// <summary>Rules about project files. Each gives one sentence for each thing that is wrong.</summary>
internal static class ProjectRules
{
    /// <summary>A project references only what the table allows, and is in the table.</summary>
    internal static IEnumerable<string> Edges(ProjectFile project)
    {
        IReadOnlySet<string>? allowed = ProductMap.Allowed(project.Name);
        return allowed is null
            ? [$"{project.Path}: not in the table of {nameof(ProductMap)}: add it there with what it may know"]
            : project.References.Where(known => !allowed.Contains(known)).Select(known => $"{project.Path}: may not know {known}");
    }

    /// <summary>The picture shows no arrow that is not there.</summary>
    internal static IEnumerable<string> UnusedEdges(ProductProject entry, ProjectFile project) =>
        entry.Knows.Except(project.References).Select(known => $"{project.Path}: the table says that it knows {known}, and it does not");

    /// <summary>Pure projects import Pure.props and bring nothing in; nobody else imports it.</summary>
    internal static IEnumerable<string> Purity(ProductProject entry, ProjectFile project)
    {
        if (project.Imports.Contains("Pure.props") != entry.Pure)
        {
            yield return $"{project.Path}: {(entry.Pure ? "is pure and does not import" : "is not pure and imports")} eng/Pure.props";
        }

        if (entry.Pure)
        {
            foreach (string package in project.Includes("PackageReference").Concat(project.Includes("FrameworkReference")))
            {
                yield return $"{project.Path}: is pure and needs no {package}";
            }
        }
    }

    /// <summary>Versions stand in Directory.Packages.props only, and only those that somebody uses: by name, or pinned below another package.</summary>
    /// <param name="projects">Every file that may reference a package.</param>
    /// <param name="central">The file of the versions.</param>
    /// <param name="locks">The lock files' texts.</param>
    internal static IEnumerable<string> Versions(IReadOnlyList<ProjectFile> projects, ProjectFile central, IReadOnlyList<string> locks)
    {
        HashSet<string> known = [.. central.Includes("PackageVersion")];
        foreach (ProjectFile project in projects)
        {
            foreach (System.Xml.Linq.XElement reference in project.Elements("PackageReference"))
            {
                string package = (string?)reference.Attribute("Include") ?? (string?)reference.Attribute("Update") ?? "";
                if (reference.Attribute("Version") is not null || reference.Attribute("VersionOverride") is not null || reference.Elements("Version").Any())
                {
                    yield return $"{project.Path}: {package} has a version of its own: put it into Directory.Packages.props";
                }

                if (!known.Contains(package))
                {
                    yield return $"{project.Path}: {package} has no version in Directory.Packages.props";
                }
            }
        }

        foreach (string package in known.Where(package => !locks.Any(text => text.Contains($"\"{package}\": {{", StringComparison.Ordinal)))
            .Except(projects.SelectMany(project => project.Includes("PackageReference"))))
        {
            yield return $"Directory.Packages.props: nobody uses {package}";
        }
    }
}
