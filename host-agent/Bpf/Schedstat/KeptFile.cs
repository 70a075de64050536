using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf;

/// <summary>A small proc or cgroup file on a kept descriptor, read from its start each time; allocates nothing.</summary>
internal sealed class KeptFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    private KeptFile(SafeFileHandle handle) => _handle = handle;

    /// <summary>Null where the file is not there or may not be read.</summary>
    internal static KeptFile? Open(string path)
    {
        try
        {
            return File.Exists(path) ? new KeptFile(File.OpenHandle(path)) : null;
        }
        catch (IOException)
        {
            return null; // Gone between the two.
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The content; empty where whom it tells of is gone.</summary>
    internal ReadOnlySpan<byte> Read(byte[] buffer)
    {
        try
        {
            return buffer.AsSpan(0, Math.Max(0, RandomAccess.Read(_handle, buffer, 0)));
        }
        catch (IOException)
        {
            return default; // ESRCH, ENODEV: gone.
        }
    }

    /// <summary>The number at the start of a text, or -1.</summary>
    internal static long Number(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out long value, out _) ? value : -1;

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
