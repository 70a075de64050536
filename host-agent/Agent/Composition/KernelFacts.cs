namespace Keck.Host;

/// <summary>What procfs says of the kernel.</summary>
internal static class KernelFacts
{
    /// <summary>The release, such as <c>6.1.0-26-amd64</c>; null where procfs does not tell.</summary>
    internal static string? Release(string procRoot)
    {
        try
        {
            return File.ReadAllText(Path.Combine(procRoot, "sys/kernel/osrelease")).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
