using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_globals of kernel/records.h: what is there once. 128 bytes, one line per writer.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GlobalsRecord
{
    internal ulong Tail;
    internal PadWords AgentPad;
    internal ulong Head;
    internal ulong Exhausted;
    internal ulong Collisions;
    internal ulong Overflows;
    internal ulong LateDeaths;
    internal ulong Pad0;
    internal ulong Pad1;
    internal ulong Pad2;
}
