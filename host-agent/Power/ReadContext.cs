using Keck.Metering;

namespace Keck.Power;

/// <summary>What a source may want to know about the tick that its reading ends.</summary>
/// <param name="startNanoseconds">Start of the tick, monotonic, ns.</param>
/// <param name="endNanoseconds">End of the tick, monotonic, ns.</param>
/// <param name="topology">The CPUs online.</param>
/// <param name="cpus">What the CPUs did in the tick; empty where that is not known.</param>
public readonly ref struct ReadContext(long startNanoseconds, long endNanoseconds, Topology topology, ReadOnlySpan<CpuSample> cpus)
{
    /// <summary>Start of the tick, monotonic, ns.</summary>
    public long StartNanoseconds { get; } = startNanoseconds;

    /// <summary>End of the tick, monotonic, ns.</summary>
    public long EndNanoseconds { get; } = endNanoseconds;

    /// <summary>The CPUs online.</summary>
    public Topology Topology { get; } = topology;

    /// <summary>What the CPUs did in the tick; empty where that is not known.</summary>
    public ReadOnlySpan<CpuSample> Cpus { get; } = cpus;

    /// <summary>How long the CPUs of a package (null: of the machine) worked in this tick, interrupts included, ns.</summary>
    public long BusyNanoseconds(int? package)
    {
        long busy = 0;
        foreach (ref readonly CpuSample cpu in Cpus)
        {
            if (package is not { } wanted || Topology.Place(cpu.Cpu) is { } place && place.Package == wanted)
            {
                busy += cpu.BusyNanoseconds + cpu.InterruptNanoseconds;
            }
        }

        return busy;
    }
}
