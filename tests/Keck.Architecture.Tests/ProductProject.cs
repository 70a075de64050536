namespace Keck.Architecture.Tests;

/// <summary>One project of the product and what it may do.</summary>
/// <param name="Name">Assembly and project file name without extension.</param>
/// <param name="Folder">Its folder below the root, with slashes.</param>
/// <param name="Holds">What it holds, in a few words; shown in the picture.</param>
/// <param name="Knows">The projects it may reference.</param>
/// <param name="Tests">Its tests project.</param>
/// <param name="FirstEventId">Its log events are this id and the 999 after it; null where it logs nothing.</param>
/// <param name="Pure">Whether it does no I/O and asks no clock (imports eng/Pure.props).</param>
internal sealed record ProductProject(
    string Name, string Folder, string Holds, string[] Knows, string Tests, int? FirstEventId, bool Pure = false)
{
    /// <summary>The project file below the root.</summary>
    internal string File => $"{Folder}/{Name}.csproj";
}
