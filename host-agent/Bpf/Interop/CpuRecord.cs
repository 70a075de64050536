using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_cpu of kernel/records.h: one CPU. 128 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CpuRecord
{
    internal const uint NoSlot = uint.MaxValue;

    internal ulong Seq;
    internal ulong Clock;
    internal ulong TaskClock;
    internal long Offset;
    internal ulong IdleNanoseconds;
    internal ulong LostNanoseconds;
    internal ulong BusyNanoseconds;
    internal ulong Flushes;
    internal ulong Missed;
    internal ulong Task;
    internal ulong EntryRuntime;
    internal ulong SiblingMark;
    internal uint Slot;
    internal uint Megahertz;
    internal ulong MegahertzSince;
    internal ulong MegahertzSum;
    internal ushort SiblingPlusOne;
    internal ushort On;
    internal uint Cut;
}
