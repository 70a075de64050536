using System.Runtime.InteropServices;

namespace Keck.VsockProtocol.Interop;

/// <summary><c>struct sockaddr_vm</c> of &lt;linux/vm_sockets.h&gt;, 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct SockaddrVm
{
    /// <summary>svm_family: AF_VSOCK.</summary>
    internal ushort Family;

    /// <summary>svm_reserved1: 0.</summary>
    internal ushort Reserved;

    /// <summary>svm_port, in the byte order of the machine.</summary>
    internal uint Port;

    /// <summary>svm_cid, in the byte order of the machine.</summary>
    internal uint Cid;

    /// <summary>svm_flags: 0.</summary>
    internal byte Flags;
}
