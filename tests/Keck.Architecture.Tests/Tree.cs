using System.Text;

namespace Keck.Architecture.Tests;

/// <summary>The files of the checkout, without what is built or fetched.</summary>
internal static class Tree
{
    private const int LargestText = 4 << 20;

    private static readonly string[] Skipped = [".git", "out", "bin", "obj", "node_modules", ".vs", ".idea"];

    private static readonly Lazy<TextFile[]> Files = new(() => [.. Enumerate(Keck.Tests.Repository.Root).Select(Read).OfType<TextFile>().OrderBy(file => file.Path, StringComparer.Ordinal)]);

    /// <summary>Every text file.</summary>
    internal static IReadOnlyList<TextFile> Texts => Files.Value;

    /// <summary>The C# files of a folder, or of a folder's part of the tree.</summary>
    internal static IEnumerable<TextFile> Sources(string folder) =>
        Texts.Where(file => file.Path.EndsWith(".cs", StringComparison.Ordinal) && file.Path.StartsWith(folder + "/", StringComparison.Ordinal));

    /// <summary>Every project file.</summary>
    internal static IReadOnlyList<ProjectFile> Projects =>
        [.. Texts.Where(file => file.Path.EndsWith(".csproj", StringComparison.Ordinal)).Select(file => ProjectFile.Parse(file.Path, file.Text))];

    /// <summary>One file by its path below the root.</summary>
    internal static TextFile File(string path) => Texts.SingleOrDefault(file => file.Path == path) ?? throw new FileNotFoundException($"the repository has no {path}");

    private static IEnumerable<string> Enumerate(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            yield return file;
        }

        foreach (string child in Directory.EnumerateDirectories(folder).Where(child => !Skipped.Contains(Path.GetFileName(child))))
        {
            if (new DirectoryInfo(child).LinkTarget is null)
            {
                foreach (string file in Enumerate(child))
                {
                    yield return file;
                }
            }
        }
    }

    private static TextFile? Read(string path)
    {
        FileInfo file = new(path);

        // A worktree's .git is a file that names the machine's paths.
        if (file.LinkTarget is not null || file.Length > LargestText || file.Name == ".git")
        {
            return null;
        }

        byte[] bytes = System.IO.File.ReadAllBytes(path);
        return bytes.AsSpan().Contains((byte)0) ? null : new TextFile(Path.GetRelativePath(Keck.Tests.Repository.Root, path).Replace('\\', '/'), Encoding.UTF8.GetString(bytes));
    }
}
