using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_slot of kernel/records.h: one thread. 128 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SlotRecord
{
    internal ulong Runtime;
    internal SlotState State;
    internal uint Seq;
    internal uint Next;
    internal uint ChainStamp;
    internal uint Home;
    internal uint Cpu;
    internal EntryRecords Entries;
}
