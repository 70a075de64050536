using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_cpu of kernel/records.h: one CPU. 192 bytes.</summary>
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
    internal ulong RunQueue;
    internal ulong BaseSwitches;
    internal ulong IdleRuntime;
    internal long UnplacedNanoseconds;
    internal ulong Switches;
    internal ulong Pad0;
    internal ulong Pad1;
    internal ulong Pad2;

    /// <summary>Switches that the CPU has made by its own count when the record was written.</summary>
    internal readonly ulong KnownSwitches => BaseSwitches + (Seq / 2) - Flushes + Missed;
}
