using System.Globalization;

namespace Keck.Agent.Interop;

/// <summary>
/// Pages of the program file and of its libraries: most were touched by the start only. They are clean copies of files, so
/// letting them go loses nothing; what is still needed comes back from the page cache by a minor fault.
/// </summary>
internal static class ProgramPages
{
    /// <summary>Lets go of every page that is a clean copy of a file; returns how many bytes were resident there.</summary>
    /// <param name="map">The kernel's account of this process's mappings: /proc/self/smaps.</param>
    internal static long LetGo(string map = "/proc/self/smaps")
    {
        long bytes = 0;
        try
        {
            (nint Start, nuint Length, long Resident)? mapping = null;
            foreach (string line in File.ReadLines(map))
            {
                if (Header(line) is { } header)
                {
                    mapping = header.ReadOnlyFile ? (header.Start, header.Length, 0) : null;
                }
                else if (mapping is { } at && line.StartsWith("Rss:", StringComparison.Ordinal))
                {
                    mapping = at with { Resident = Kibibytes(line) };
                }
                else if (mapping is { } clean && line.StartsWith("Anonymous:", StringComparison.Ordinal))
                {
                    // A page that was written to (relocations) exists nowhere else.
                    if (Kibibytes(line) == 0 && clean.Resident > 0 && LibC.MemoryAdvice(clean.Start, clean.Length, LibC.DontNeed) == 0)
                    {
                        bytes += clean.Resident * 1024;
                    }

                    mapping = null;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without procfs they stay: they cost nothing that the kernel could not take by itself.
        }

        return bytes;
    }

    // Such as "00405000-00a82000 r-xp 00005000 fe:00 11657259    /usr/bin/keck-host".
    private static (nint Start, nuint Length, bool ReadOnlyFile)? Header(string line)
    {
        int dash = line.IndexOf('-', StringComparison.Ordinal);
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        if (dash <= 0 || space < dash
            || !ulong.TryParse(line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong start)
            || !ulong.TryParse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong end))
        {
            return null;
        }

        ReadOnlySpan<char> access = line.AsSpan(space + 1, Math.Min(4, line.Length - space - 1));
        return ((nint)start, (nuint)(end - start), access is "r--p" or "r-xp" && line.Contains(" /", StringComparison.Ordinal));
    }

    // Such as "Rss:                5236 kB".
    private static long Kibibytes(string line)
    {
        ReadOnlySpan<char> text = line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).Trim();
        int space = text.IndexOf(' ');
        return long.TryParse(space < 0 ? text : text[..space], NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : 0;
    }
}
