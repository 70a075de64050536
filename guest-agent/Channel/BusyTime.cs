using Keck.Agent;
using Keck.Metering;

namespace Keck.Guest;

/// <summary>Each CPU's busy time by the guest's own clock, cumulative: the host sees by it what it took from us.</summary>
internal sealed class BusyTime : ITickOutlet
{
    private readonly Column<long> _busy = new();

    /// <summary>By CPU number, ns.</summary>
    internal ReadOnlySpan<long> Nanoseconds => _busy.Items;

    /// <inheritdoc/>
    public void OnDrained(Observation observation)
    {
        foreach (ref CpuSample cpu in observation.Cpus.Items)
        {
            _busy.Resize(Math.Max(_busy.Count, cpu.Cpu + 1));
            _busy[cpu.Cpu] += cpu.BusyNanoseconds + cpu.InterruptNanoseconds;
        }
    }

    /// <inheritdoc/>
    public void OnTick(Observation observation, TickAttribution attribution)
    {
    }
}
