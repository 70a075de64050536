namespace Keck.Tests;

/// <summary>A host's /proc and /sys as files, below tests/fixtures/hosts or in a temporary copy.</summary>
internal sealed class HostTree : IDisposable
{
    private readonly string _root;
    private readonly bool _temporary;

    internal HostTree(string root, bool temporary)
    {
        _root = root;
        _temporary = temporary;
    }

    /// <summary>What stands for /sys; may not exist in a tree that has none.</summary>
    internal string Sys => Path.Combine(_root, "sys");

    /// <summary>What stands for /proc.</summary>
    internal string Proc => Path.Combine(_root, "proc");

    /// <summary>A copy that may be changed; deleted when disposed.</summary>
    internal HostTree CopyToTemp()
    {
        string target = Directory.CreateTempSubdirectory("keck-host-").FullName;
        foreach (string directory in Directory.EnumerateDirectories(_root, "*", SearchOption.AllDirectories))
        {
            _ = Directory.CreateDirectory(Path.Combine(target, Path.GetRelativePath(_root, directory)));
        }

        foreach (string file in Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(target, Path.GetRelativePath(_root, file)));
        }

        return new HostTree(target, temporary: true);
    }

    /// <summary>Writes a file below <see cref="Sys"/>, as a driver would change its value.</summary>
    internal void WriteSys(string path, string text)
    {
        Require();
        string target = Path.Combine(Sys, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.WriteAllText(target, text + "\n");
    }

    /// <summary>Removes a directory or a file below <see cref="Sys"/>.</summary>
    internal void RemoveSys(string path)
    {
        Require();
        string target = Path.Combine(Sys, path);
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }
        else
        {
            File.Delete(target);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_temporary && Directory.Exists(_root))
        {
            Directory.Delete(_root, recursive: true);
        }
    }

    private void Require()
    {
        if (!_temporary)
        {
            throw new InvalidOperationException("this is the fixture itself: change a CopyToTemp() of it");
        }
    }
}
