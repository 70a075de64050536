using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_counters of kernel/records.h: a thread's perf counters. 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CounterRecord
{
    internal ulong First;
    internal ulong Second;
    internal ulong Third;
    internal ulong Reserved;
}
