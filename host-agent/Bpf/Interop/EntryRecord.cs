using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_entry of kernel/records.h: one thread on one CPU. 40 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EntryRecord
{
    internal ulong Nanoseconds;
    internal ulong NanosecondsAtCut;
    internal uint CpuPlusOne;
    internal uint Stamp;
    internal ulong Weighted;
    internal ulong SharedNanoseconds;
}
