using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf;

/// <summary>Adds up one CPU's tick: threads, idle, lost, interrupts; and what these, each measured by itself, leave of its clock.</summary>
internal static class CpuClosing
{
    /// <summary>One CPU's sample: busy + idle + interrupt is its wall time, minus steal.</summary>
    /// <returns>False on a baseline: nothing was added.</returns>
    internal static bool Close(Observation? into, ref CpuSnapshot c, in CpuTally tally, int cpu, Span<long> steal)
    {
        ref CpuRecord record = ref c.Record;
        ulong idle = record.IdleNanoseconds + (record.Slot == 0 ? c.InFlight : 0);
        ulong lost = record.LostNanoseconds + (record.Slot == CpuRecord.NoSlot ? c.InFlight : 0);
        ulong behind = record.Clock - record.TaskClock;
        bool based = c.Based;
        long wall = (long)(c.Instant - c.LastInstant);

        // What nobody has been found for yet is lost; it falls again when a thread brings the time home.
        long idleTime = Advance(ref c.IdleReported, idle, based);
        long lostTime = Advance(ref c.LostReported, lost + (ulong)record.UnplacedNanoseconds, based);
        long open = wall - tally.Grown - (long)(lost - c.LastLost) - (long)(idle - c.LastIdle) - (long)(behind - c.LastBehind);
        c.Unplaced = record.UnplacedNanoseconds - c.LastUnplaced;
        c.UnplacedSum += based ? Math.Max(0, c.Unplaced) : 0;
        c.LastUnplaced = record.UnplacedNanoseconds;
        c.LastLost = lost;
        c.LastIdle = idle;
        c.LastBehind = behind;
        c.LastInstant = c.Instant;
        c.Based = true;
        if (!based || into is null)
        {
            c.Rest = c.Wall = c.Open = c.OpenSum = c.WallSum = 0;
            return false;
        }

        c.Wall = wall;
        c.Open = open;
        c.WallSum += wall;
        c.OpenSum += open;
        if (cpu < steal.Length)
        {
            c.Rest -= steal[cpu];
            steal[cpu] = 0;
        }

        c.Rest += wall - tally.Reported - lostTime - idleTime;
        ref CpuSample sample = ref into.Cpus.Add();
        sample.Cpu = cpu;
        sample.BusyNanoseconds = tally.Reported + lostTime;
        sample.IdleNanoseconds = idleTime;
        sample.LostNanoseconds = lostTime;
        sample.InterruptNanoseconds = Math.Max(0, c.Rest);
        sample.KiloHertz = Unobserved.Value;
        c.Rest -= sample.InterruptNanoseconds;
        return true;
    }

    /// <summary>A counter that may have been reported ahead (in flight) is reported again only once it has caught up.</summary>
    private static long Advance(ref ulong reported, ulong now, bool based)
    {
        long ahead = (long)(now - reported);
        if (based && ahead <= 0)
        {
            return 0;
        }

        reported = now;
        return ahead;
    }
}
