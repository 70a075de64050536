using Microsoft.Win32.SafeHandles;

namespace Keck.Bpf.Interop;

/// <summary>Owns a <c>struct bpf_object</c>: its maps and programs go with it.</summary>
internal sealed class SafeBpfObject : SafeHandleZeroOrMinusOneIsInvalid
{
    internal SafeBpfObject(nint obj)
        : base(ownsHandle: true) => SetHandle(obj);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LibBpf.CloseObject(handle);
        return true;
    }
}
