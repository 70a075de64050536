namespace Keck.Metering;

/// <summary>Marks a counter that was not observed. Absence is never zero.</summary>
public static class Unobserved
{
    /// <summary>The value of a counter column that holds no observation.</summary>
    public const long Value = -1;
}

/// <summary>One meter's part of a tick.</summary>
public struct MeterSample
{
    /// <summary>Index into <see cref="Observation.Meters"/>.</summary>
    public int Meter;

    /// <summary>Energy since the meter's previous reading, µJ, wrap undone; <see cref="Unobserved.Value"/> for a gauge.</summary>
    public long Microjoules;

    /// <summary>Power read from a gauge, mW; <see cref="Unobserved.Value"/> for a counter.</summary>
    public long Milliwatts;

    /// <summary>When it was read, on the clock of <see cref="Observation.EndNanoseconds"/>.</summary>
    public long ReadNanoseconds;

    /// <summary>
    /// True where the energy accrued while nothing was observed (agent downtime, a discarded span):
    /// it is owned by <c>unattributed</c> whole, never split.
    /// </summary>
    public bool Unattributable;

    /// <summary>How far the truth may lie below this reading for reasons of the source (a budget's own bounds), 95 %, µJ.</summary>
    public long Below;

    /// <summary>How far above, µJ.</summary>
    public long Above;
}

/// <summary>How a CPU's frequency is known, best first.</summary>
public enum FrequencyOrigin
{
    /// <summary>Not known: time alone counts.</summary>
    None,

    /// <summary>APERF/MPERF over the tick.</summary>
    Aperf,

    /// <summary>A cycles counter over the tick.</summary>
    Cycles,

    /// <summary>The <c>cpu_frequency</c> tracepoint, at each change.</summary>
    Tracepoint,

    /// <summary><c>scaling_cur_freq</c>, read at the drain.</summary>
    Cpufreq,

    /// <summary>/dev/cpu/N/msr.</summary>
    Msr,

    /// <summary>The CPU's base frequency: a constant, tells CPUs apart and nothing else.</summary>
    Base,
}

/// <summary>One CPU's part of a tick. Σ runs + lost = busy.</summary>
public struct CpuSample
{
    /// <summary>The kernel's CPU number.</summary>
    public int Cpu;

    /// <summary>Time threads ran, lost time included, ns.</summary>
    public long BusyNanoseconds;

    /// <summary>Time the idle task ran, ns.</summary>
    public long IdleNanoseconds;

    /// <summary>Time in interrupts, outside any thread's account, ns.</summary>
    public long InterruptNanoseconds;

    /// <summary>Part of busy for which no slot could be found, ns: becomes <c>unattributed</c>.</summary>
    public long LostNanoseconds;

    /// <summary>Mean frequency while busy; <see cref="Unobserved.Value"/> where unknown.</summary>
    public long KiloHertz;

    /// <summary>How the frequency is known.</summary>
    public FrequencyOrigin FrequencyOrigin;
}

/// <summary>One thread on one CPU within a tick: the accounting unit.</summary>
public struct RunSample
{
    /// <summary>The kernel's CPU number.</summary>
    public int Cpu;

    /// <summary>How long it ran there, ns.</summary>
    public long Nanoseconds;

    /// <summary>Part of that with the sibling hyperthread busy, ns.</summary>
    public long SharedNanoseconds;

    /// <summary>ns × frequency summed over frequency changes, in thousands of cycles; <see cref="Unobserved.Value"/> where unknown.</summary>
    public long KiloCycles;
}

/// <summary>One thread's part of a tick; its runs are consecutive in <see cref="Observation.Runs"/>.</summary>
public struct ThreadSample
{
    /// <summary>Row of <see cref="Observation.Threads"/>' identity in the <see cref="ThreadTable"/>.</summary>
    public int Row;

    /// <summary>Index of its first run.</summary>
    public int FirstRun;

    /// <summary>How many CPUs it ran on.</summary>
    public int RunCount;

    /// <summary>Instructions retired on all CPUs together; <see cref="Unobserved.Value"/> where unknown.</summary>
    public long Instructions;

    /// <summary>Cycles on all CPUs together; <see cref="Unobserved.Value"/> where unknown.</summary>
    public long Cycles;

    /// <summary>Last-level cache misses on all CPUs together; <see cref="Unobserved.Value"/> where unknown.</summary>
    public long LlcMisses;
}
