namespace Keck.Power;

/// <summary>The real trees.</summary>
internal sealed class SystemFiles : ISystemFiles
{
    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory)
    {
        try
        {
            string[] names = Directory.GetFileSystemEntries(directory);
            for (int i = 0; i < names.Length; i++)
            {
                names[i] = Path.GetFileName(names[i]);
            }

            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (IOException)
        {
            return [];
        }
        catch (UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <inheritdoc/>
    public FileText ReadText(string path)
    {
        try
        {
            string text = File.ReadAllText(path).Trim();
            return new(text, text.Length == 0 ? FileFault.Empty : FileFault.None);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return new("", FileFault.Missing);
        }
        catch (UnauthorizedAccessException)
        {
            return new("", FileFault.Denied);
        }
        catch (IOException)
        {
            return new("", FileFault.Failed);
        }
    }

    /// <inheritdoc/>
    public ICounterFile Open(string path) => new CounterFile(path);
}
