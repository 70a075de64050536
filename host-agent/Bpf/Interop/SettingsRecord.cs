using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_settings of kernel/records.h: fixed before the load. 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SettingsRecord
{
    internal uint PidMask;
    internal uint PidWayShift;
    internal uint RingMask;
    internal uint Smt;
    internal uint Weigh;
    internal uint Counters;
    internal uint Entries;
    internal uint Reserved;
}
