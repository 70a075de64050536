using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_entry of kernel/records.h: one thread on one CPU. 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EntryRecord
{
    internal ulong Nanoseconds;
    internal ulong Weighted;
    internal ulong SharedNanoseconds;
    internal uint CpuPlusOne;
    internal uint Stamp;
}
