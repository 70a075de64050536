using Keck.Metering;

namespace Keck.Host;

/// <summary>Machine profiles as files.</summary>
internal static class ProfileFiles
{
    /// <summary>Reads one; what is wrong with it, or null.</summary>
    internal static string? Read(FileInfo file, out MachineProfile? profile)
    {
        profile = null;
        try
        {
            using FileStream stream = file.OpenRead();
            byte[] text = new byte[MachineProfileFile.MostBytes + 1];
            profile = MachineProfileFile.Read(text.AsMemory(0, stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false)));
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

    /// <summary>Writes one beside its place and moves it there: whoever reads the old one meanwhile reads all of it, and a failure leaves it.</summary>
    internal static void Write(FileInfo file, MachineProfile profile) => Put(file, MachineProfileFile.Write(profile), keep: true);

    /// <summary>Finds out whether <see cref="Write"/> could write there, before minutes are spent on what is to be written.</summary>
    internal static void Try(FileInfo file) => Put(file, [], keep: false);

    private static void Put(FileInfo file, byte[] text, bool keep)
    {
        string beside = $"{file.FullName}.{Environment.ProcessId}.new";
        try
        {
            using (FileStream stream = new(beside, FileMode.Create, FileAccess.Write))
            {
                stream.Write(text);
                stream.Flush(flushToDisk: true);
            }

            if (keep)
            {
                File.Move(beside, file.FullName, overwrite: true);
            }
        }
        finally
        {
            File.Delete(beside);
        }
    }
}
