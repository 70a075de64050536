namespace Keck.Tests;

/// <summary>The trees below tests/fixtures.</summary>
internal static class Fixtures
{
    /// <summary>The host of a case, such as <c>two-sockets</c>; to be read only.</summary>
    internal static HostTree Host(string name)
    {
        string root = Repository.PathOf("tests", "fixtures", "hosts", name);
        return Directory.Exists(root) ? new HostTree(root, temporary: false) : throw new ArgumentException($"no fixture {root}", nameof(name));
    }
}
