using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Keck.Metering;

namespace Keck.Virt.Interop;

/// <summary>Reads small files into one buffer that is kept, so that a read allocates nothing once warm. Not for two threads at once.</summary>
internal sealed unsafe class FileText(int limit)
{
    private const int PathLimit = 4096;
    private readonly byte[] _path = new byte[PathLimit];
    private byte[] _content = new byte[Math.Min(limit, 1024)];
    private int _length;

    /// <summary>What the last read found, cut at the limit.</summary>
    internal ReadOnlySpan<byte> Content => _content.AsSpan(0, _length);

    /// <summary>Reads <c>root/PID/name</c>.</summary>
    /// <returns>Null when <see cref="Content"/> holds the file or its beginning, else why not.</returns>
    internal Absence? Read(string root, int pid, string name) => Read(Utf8.TryWrite(_path, $"{root}/{pid}/{name}\0", out _));

    /// <summary>Reads <c>root/PID/task/TID/name</c>.</summary>
    internal Absence? ReadThread(string root, int pid, int tid, string name) => Read(Utf8.TryWrite(_path, $"{root}/{pid}/task/{tid}/{name}\0", out _));

    /// <summary>Reads a file by its path.</summary>
    internal Absence? Read(string path) => Read(Utf8.TryWrite(_path, $"{path}\0", out _));

    /// <summary>The content as text without the line break at its end; bytes that are no UTF-8 become U+FFFD.</summary>
    internal string Text() => Encoding.UTF8.GetString(Content.TrimEnd((byte)'\n'));

    private Absence? Read(bool pathFits)
    {
        _length = 0;
        if (!pathFits)
        {
            return Absence.Malformed;
        }

        int descriptor;
        // SAFETY: the path ends in NUL within _path, which is pinned for the call.
        fixed (byte* name = _path)
        {
            descriptor = LibC.Open(name, LibC.NonBlocking | LibC.CloseOnExec);
        }

        if (descriptor < 0)
        {
            return Reason();
        }

        try
        {
            while (true)
            {
                if (_length == _content.Length)
                {
                    if (_length >= limit)
                    {
                        return null;
                    }

                    Array.Resize(ref _content, Math.Min(limit, _content.Length * 4));
                }

                nint read;
                // SAFETY: the buffer is pinned and the count is what is left of it.
                fixed (byte* buffer = _content)
                {
                    read = LibC.Read(descriptor, buffer + _length, (nuint)(_content.Length - _length));
                }

                if (read < 0)
                {
                    Absence reason = Reason();
                    _length = 0;
                    return reason;
                }

                if (read == 0)
                {
                    return null;
                }

                _length += (int)read;
            }
        }
        finally
        {
            _ = LibC.Close(descriptor);
        }
    }

    private static Absence Reason() => Marshal.GetLastPInvokeError() switch
    {
        LibC.AccessDenied or LibC.NotPermitted => Absence.NotPermitted,
        LibC.NoEntry or LibC.NoProcess or LibC.NotDirectory => Absence.NotPresent,
        _ => Absence.Malformed,
    };
}
