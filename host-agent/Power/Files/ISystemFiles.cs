namespace Keck.Power;

/// <summary>The trees of /proc and /sys; a fake of it refuses permissions, which a test running as root cannot otherwise have.</summary>
internal interface ISystemFiles
{
    /// <summary>Names in a directory in ordinal order; empty where there is none.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>A whole small file.</summary>
    FileText ReadText(string path);

    /// <summary>A file to be read often; opened at the first read.</summary>
    ICounterFile Open(string path);
}
