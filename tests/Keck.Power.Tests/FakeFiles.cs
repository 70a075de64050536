namespace Keck.Power.Tests;

/// <summary>The real files of a tree, some of which may not be read: root, who runs the tests in CI, may read them all.</summary>
internal sealed class FakeFiles : ISystemFiles
{
    private readonly SystemFiles _real = new();

    /// <summary>Which paths are refused; may change while a test runs.</summary>
    internal Func<string, bool> Denied { get; set; } = _ => false;

    public IReadOnlyList<string> List(string directory) => _real.List(directory);

    public FileText ReadText(string path) => Denied(path) ? new("", FileFault.Denied) : _real.ReadText(path);

    public ICounterFile Open(string path) => new GuardedFile(this, _real.Open(path), path);

    private sealed class GuardedFile(FakeFiles files, ICounterFile file, string path) : ICounterFile
    {
        public FileNumber Read() => files.Denied(path) ? new(0, FileFault.Denied) : file.Read();

        public void Dispose() => file.Dispose();
    }
}
