using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct timespec of &lt;time.h&gt; on 64-bit Linux: 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Timespec
{
    internal long Seconds;
    internal long Nanoseconds;
}
