using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf.Interop;

/// <summary>Owns a <c>struct bpf_link</c>: closing it detaches the program.</summary>
internal sealed class SafeBpfLink : SafeHandleZeroOrMinusOneIsInvalid
{
    internal SafeBpfLink(nint link)
        : base(ownsHandle: true) => SetHandle(link);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibBpf.DestroyLink(handle) == 0;
}
