using System.Runtime.InteropServices;

namespace Keck.Bpf.Interop;

/// <summary>struct keck_meta of kernel/records.h: who a slot is. 64 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MetaRecord
{
    internal const uint KernelThread = 0x0020_0000; // <linux/sched.h> PF_KTHREAD

    internal ulong StartNanoseconds;
    internal ulong LeaderStartNanoseconds;
    internal ulong CgroupId;
    internal uint Tid;
    internal uint ThreadGroup;
    internal uint Flags;
    internal uint Generation;
    internal CommBytes Comm;
    internal ulong Reserved;
}
