using System.Runtime.InteropServices;

namespace Keck.VsockProtocol.Interop;

/// <summary>A native call failed.</summary>
internal sealed class NativeException(string call, int errno) : IOException($"{call}: {Marshal.GetPInvokeErrorMessage(errno)}")
{
    /// <summary>The error number, positive.</summary>
    internal int Errno { get; } = errno;
}
