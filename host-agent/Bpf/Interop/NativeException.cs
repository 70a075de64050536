using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>A native call failed where it had to succeed.</summary>
internal sealed class NativeException(string call, int errno) : Exception($"{call}: {Marshal.GetPInvokeErrorMessage(errno)}")
{
    /// <summary>The error number, positive.</summary>
    internal int Errno { get; } = errno;
}
