namespace Keck.Architecture.Tests;

/// <summary>One file of the repository as text.</summary>
/// <param name="Path">Below the root, with slashes.</param>
/// <param name="Text">Its content.</param>
internal sealed record TextFile(string Path, string Text)
{
    private string? _code;

    /// <summary>The code of a C# file, without comments and literals.</summary>
    internal string Code => _code ??= CSharpText.Code(Text);

    internal string At(int position) => $"{Path}:{CSharpText.Line(Text, position)}";
}
