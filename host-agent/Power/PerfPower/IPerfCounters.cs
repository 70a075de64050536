using Keck.Metering;

namespace Keck.Power;

/// <summary>The kernel's counters of one CPU; a fake of it stands for the hardware in tests.</summary>
internal interface IPerfCounters
{
    /// <summary>Opens a counter for everything that happens on a CPU's scope.</summary>
    /// <param name="type">The PMU's number, from its <c>type</c> file.</param>
    /// <param name="config">The event's number, from <c>events/…</c>.</param>
    /// <param name="cpu">One CPU of the scope, from <c>cpumask</c>.</param>
    /// <param name="reason">Why not, where the result is null.</param>
    /// <returns>The counter, or null.</returns>
    IPerfCounter? Open(int type, ulong config, int cpu, out Absence reason);
}
