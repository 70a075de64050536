using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Keck.Metering;

namespace Keck.Workloads.Interop;

/// <summary>Reads small files into one buffer that is kept. Not for two threads at once.</summary>
internal sealed unsafe class FileText(int limit)
{
    private const int PathLimit = 4096;
    private readonly byte[] _path = new byte[PathLimit];
    private byte[] _content = new byte[Math.Min(limit, 4096)];
    private int _length;

    /// <summary>What the last read found.</summary>
    internal ReadOnlySpan<byte> Content => _content.AsSpan(0, _length);

    /// <summary>The same, for parsers that want memory.</summary>
    internal ReadOnlyMemory<byte> Memory => _content.AsMemory(0, _length);

    /// <summary>Reads <c>root/pid/name</c>.</summary>
    /// <returns>Null when <see cref="Content"/> holds the file, else why not; a file longer than the limit is malformed.</returns>
    internal Absence? Read(string root, int pid, ReadOnlySpan<char> name) =>
        Utf8.TryWrite(_path, $"{root}/{pid}/{name}\0", out _) ? ReadPath() : Absence.Malformed;

    /// <summary>Reads a file by its path.</summary>
    internal Absence? Read(string path) => Utf8.TryWrite(_path, $"{path}\0", out _) ? ReadPath() : Absence.Malformed;

    /// <summary>A directory's inode number, which on cgroup v2 is the cgroup's id; 0 where it cannot be had.</summary>
    internal ulong Inode(ReadOnlySpan<char> path)
    {
        if (!Utf8.TryWrite(_path, $"{path}\0", out _))
        {
            return 0;
        }

        byte* result = stackalloc byte[LibC.StatxSize];
        // SAFETY: the path ends in NUL within _path, which is pinned; statx writes at most StatxSize bytes.
        fixed (byte* name = _path)
        {
            return LibC.Statx(LibC.CurrentDirectory, name, 0, LibC.WantInode, result) == 0 ? *(ulong*)(result + LibC.StatxInode) : 0;
        }
    }

    /// <summary>The content as text, for messages and names; bytes that are no UTF-8 become U+FFFD.</summary>
    internal string Text() => Encoding.UTF8.GetString(Content);

    private Absence? ReadPath()
    {
        _length = 0;
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
                        return Absence.Malformed;
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
