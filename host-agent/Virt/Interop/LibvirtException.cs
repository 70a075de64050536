using System.Runtime.InteropServices;
using Keck.Metering;

namespace Keck.Virt.Interop;

/// <summary>A libvirt call failed; the message is libvirt's, cleaned.</summary>
internal sealed class LibvirtException(string call, int code, string message) : Exception($"{call}: {message}")
{
    /// <summary>The <c>VIR_ERR_…</c> number.</summary>
    internal int Code { get; } = code;

    /// <summary>The same as an absence.</summary>
    internal Absence Reason => Code is LibVirt.ErrorOperationDenied or LibVirt.ErrorAuthFailed or LibVirt.ErrorAuthUnavailable ? Absence.NotPermitted : Absence.NotPresent;

    /// <summary>This thread's last error as an exception.</summary>
    internal static unsafe LibvirtException Last(string call)
    {
        // SAFETY: libvirt returns text of its own that ends in NUL and stays until the thread's next call into it.
        unsafe
        {
            return new LibvirtException(call, LibVirt.LastErrorCode(), SafeText.Clean(Marshal.PtrToStringUTF8((nint)LibVirt.LastErrorMessage())) ?? "unknown error");
        }
    }
}
