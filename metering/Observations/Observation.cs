using System.Collections.Immutable;

namespace Keck.Metering;

/// <summary>
/// Everything observed over one tick: energy by meter and runs by thread. What <c>record</c> writes and <c>replay</c> reads.
/// One instance is filled again each tick; its columns keep their storage.
/// </summary>
public sealed class Observation
{
    /// <summary>Number of the tick, from 1.</summary>
    public long Tick { get; private set; }

    /// <summary>Start of the tick on the monotonic clock, ns; the end of the tick before.</summary>
    public long StartNanoseconds { get; private set; }

    /// <summary>End of the tick: when the runs were drained, ns.</summary>
    public long EndNanoseconds { get; set; }

    /// <summary>The machine's CPUs.</summary>
    public Topology Topology { get; set; } = new([], null);

    /// <summary>The meters that <see cref="MeterSample.Meter"/> refers to.</summary>
    public ImmutableArray<Meter> Meters { get; set; } = [];

    /// <summary>What the meters said; a meter without a sample said nothing.</summary>
    public Column<MeterSample> MeterSamples { get; } = new();

    /// <summary>CPUs, each at most once.</summary>
    public Column<CpuSample> Cpus { get; } = new();

    /// <summary>Threads that ran.</summary>
    public Column<ThreadSample> Threads { get; } = new();

    /// <summary>Runs, grouped by thread.</summary>
    public Column<RunSample> Runs { get; } = new();

    /// <summary>Who the threads are.</summary>
    public ThreadTable ThreadTable { get; } = new();

    /// <summary>Who the processes are.</summary>
    public ProcessTable ProcessTable { get; } = new();

    /// <summary>The virtual machines that processes belong to.</summary>
    public MachineTable Machines { get; } = new();

    /// <summary>Length of the tick.</summary>
    public MonotonicSpan Length => new(EndNanoseconds - StartNanoseconds);

    /// <summary>Starts the next tick: forgets the samples, frees the threads that ended, keeps the identities.</summary>
    public void Begin(long tick, long startNanoseconds)
    {
        Tick = tick;
        StartNanoseconds = startNanoseconds;
        EndNanoseconds = startNanoseconds;
        MeterSamples.Clear();
        Cpus.Clear();
        Threads.Clear();
        Runs.Clear();
        ThreadTable.ReleaseEnded();
    }
}
