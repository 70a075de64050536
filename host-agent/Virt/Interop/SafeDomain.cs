using Microsoft.Win32.SafeHandles;

namespace Keck.Virt.Interop;

/// <summary>Owns a reference to a <c>virDomainPtr</c>.</summary>
internal sealed class SafeDomain : SafeHandleZeroOrMinusOneIsInvalid
{
    internal SafeDomain(nint domain)
        : base(ownsHandle: true) => SetHandle(domain);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibVirt.FreeDomain(handle) == 0;
}
