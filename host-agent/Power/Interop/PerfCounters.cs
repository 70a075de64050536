using System.Runtime.InteropServices;
using Keck.Metering;

namespace Keck.Power.Interop;

/// <summary>The kernel's perf counters. No pointer and no errno leaves here.</summary>
internal sealed class PerfCounters : IPerfCounters
{
    /// <inheritdoc/>
    public IPerfCounter? Open(int type, ulong config, int cpu, out Absence reason)
    {
        nint number = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? LibC.PerfEventOpenArm64 : LibC.PerfEventOpenX64;
        PerfEventAttribute attribute = new() { Type = (uint)type, Size = PerfEventAttribute.Bytes, Config = config };
        SafePerfEvent descriptor = LibC.PerfEventOpen(number, in attribute, pid: -1, cpu, group: -1, LibC.CloseOnExec);
        int error = Marshal.GetLastPInvokeError();
        if (descriptor.IsInvalid)
        {
            descriptor.Dispose();
            reason = error is LibC.OperationNotPermitted or LibC.AccessDenied ? Absence.NotPermitted : Absence.NotPresent;
            return null;
        }

        reason = default;
        return new Counter(descriptor);
    }

    private sealed class Counter(SafePerfEvent descriptor) : IPerfCounter
    {
        /// <inheritdoc/>
        public bool TryRead(out ulong count) => LibC.Read(descriptor, out count, sizeof(ulong)) == sizeof(ulong);

        /// <inheritdoc/>
        public void Dispose() => descriptor.Dispose();
    }
}
