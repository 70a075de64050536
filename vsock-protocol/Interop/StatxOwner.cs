using System.Runtime.InteropServices;

namespace Keck.VsockProtocol.Interop;

/// <summary><c>struct statx</c> of &lt;linux/stat.h&gt;, 256 bytes on every architecture: only whose a file is.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct StatxOwner
{
    /// <summary><c>stx_uid</c>.</summary>
    [FieldOffset(20)]
    internal uint Uid;

    /// <summary><c>stx_gid</c>.</summary>
    [FieldOffset(24)]
    internal uint Gid;
}
