using Microsoft.Win32.SafeHandles;

namespace Keck.Power.Interop;

/// <summary>Owns the descriptor of a perf event.</summary>
internal sealed class SafePerfEvent() : SafeHandleMinusOneIsInvalid(ownsHandle: true)
{
    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibC.Close(handle) == 0;
}
