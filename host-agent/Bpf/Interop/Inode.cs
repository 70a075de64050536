using System.Buffers.Binary;

namespace Keck.Bpf.Interop;

/// <summary>Inode numbers: a cgroup's is its id.</summary>
internal static unsafe class Inode
{
    private const int CurrentFolder = -100;     // <fcntl.h> AT_FDCWD
    private const uint InodeOnly = 0x100;       // <linux/stat.h> STATX_INO
    private const int ResultSize = 256;         // sizeof(struct statx)
    private const int InodeOffset = 32;         // offsetof(struct statx, stx_ino)

    /// <summary>The inode of a path; 0 where it cannot be read.</summary>
    internal static ulong Of(string path)
    {
        byte* result = stackalloc byte[ResultSize];
        // SAFETY: struct statx is 256 bytes, which is what result has.
        return LibC.StatX(CurrentFolder, path, 0, InodeOnly, result) == 0
            ? BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(result + InodeOffset, sizeof(ulong)))
            : 0;
    }
}
