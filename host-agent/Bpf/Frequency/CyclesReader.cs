using Keck.Bpf.Interop;
using Keck.Metering;

namespace Keck.Bpf.Frequency;

/// <summary>The cycles counter of each CPU over the time its threads ran. Cycles of interrupts are in it: slightly high.</summary>
internal sealed class CyclesReader : IFrequencyReader
{
    private const long ShortestBusyNanoseconds = 100_000; // Below that, interrupts and the idle loop outweigh threads.

    private readonly SafeDescriptor?[] _events;
    private readonly ulong[] _last;
    private readonly long[] _kiloHertz;

    private CyclesReader(SafeDescriptor?[] events)
    {
        _events = events;
        _last = new ulong[events.Length];
        _kiloHertz = new long[events.Length];
        Array.Fill(_kiloHertz, Unobserved.Value);
        for (int cpu = 0; cpu < events.Length; cpu++)
        {
            _last[cpu] = events[cpu] is { } descriptor ? PerfEvent.Read(descriptor) ?? 0 : 0;
        }
    }

    /// <inheritdoc/>
    public FrequencyOrigin Origin => FrequencyOrigin.Cycles;

    /// <summary>Null where there is no hardware PMU (/sys/bus/event_source/devices/cpu) or it may not be opened.</summary>
    internal static IFrequencyReader? Open(string sysRoot, int cpus)
    {
        if (!Directory.Exists(Path.Combine(sysRoot, "bus/event_source/devices/cpu")) && !Directory.Exists(Path.Combine(sysRoot, "bus/event_source/devices/cpu_core")))
        {
            return null;
        }

        var events = new SafeDescriptor?[cpus];
        bool any = false;
        for (int cpu = 0; cpu < cpus; cpu++)
        {
            events[cpu] = PerfEvent.Open(PerfCounter.Cycles.Type, PerfCounter.Cycles.Config, cpu);
            any |= events[cpu] is not null;
        }

        return any ? new CyclesReader(events) : null;
    }

    /// <inheritdoc/>
    public long Read(int cpu, long busyNanoseconds)
    {
        if ((uint)cpu >= (uint)_events.Length || _events[cpu] is not { } descriptor || PerfEvent.Read(descriptor) is not { } cycles)
        {
            return Unobserved.Value;
        }

        ulong delta = cycles - _last[cpu];
        _last[cpu] = cycles;
        if (busyNanoseconds >= ShortestBusyNanoseconds && delta > 0)
        {
            _kiloHertz[cpu] = (long)((UInt128)delta * 1_000_000 / (ulong)busyNanoseconds);
        }

        return _kiloHertz[cpu];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafeDescriptor? descriptor in _events)
        {
            descriptor?.Dispose();
        }
    }
}
