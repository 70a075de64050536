namespace Keck.Agent;

/// <summary>What procfs says of the kernel.</summary>
internal static class KernelFacts
{
    /// <summary>The release, such as <c>6.1.0-26-amd64</c>; null where procfs does not tell.</summary>
    internal static string? Release(string procRoot) => Line(procRoot, "sys/kernel/osrelease");

    /// <summary>The id of this boot, a random UUID; null where procfs does not tell.</summary>
    internal static string? BootId(string procRoot) => Line(procRoot, "sys/kernel/random/boot_id");

    private static string? Line(string procRoot, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(procRoot, file)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
