using Microsoft.Win32.SafeHandles;

namespace Keck.Virt.Interop;

/// <summary>Owns a reference to a <c>virConnectPtr</c>.</summary>
internal sealed class SafeConnection() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibVirt.Close(handle) >= 0;
}
