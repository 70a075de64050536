using Keck.Metering;

namespace Keck.Host;

/// <summary>Reads machine profiles for commands.</summary>
internal static class ProfileFiles
{
    /// <summary>Reads one; what is wrong with it, or null.</summary>
    internal static string? Read(FileInfo file, out MachineProfile? profile)
    {
        profile = null;
        try
        {
            if (file.Exists && file.Length > MachineProfileFile.MostBytes)
            {
                return $"{file.FullName} is too large to be a machine profile";
            }

            profile = MachineProfileFile.Read(File.ReadAllBytes(file.FullName));
            return null;
        }
        catch (TraceFormatException e)
        {
            return $"{file.FullName}: {e.Message}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}
