using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf.Interop;

/// <summary>Owns a file descriptor.</summary>
internal sealed class SafeDescriptor : SafeHandleMinusOneIsInvalid
{
    internal SafeDescriptor(nint descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibC.Close(handle) == 0;
}
